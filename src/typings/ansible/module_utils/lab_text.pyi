from plugins.module_utils.lab_text import *
