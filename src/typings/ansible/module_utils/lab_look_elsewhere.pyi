from plugins.module_utils.lab_look_elsewhere import *
