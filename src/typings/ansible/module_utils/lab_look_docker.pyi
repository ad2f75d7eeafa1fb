from plugins.module_utils.lab_look_docker import *
