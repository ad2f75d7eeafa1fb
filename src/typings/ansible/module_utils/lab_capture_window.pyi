from plugins.module_utils.lab_capture_window import *
