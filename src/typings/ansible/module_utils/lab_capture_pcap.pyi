from plugins.module_utils.lab_capture_pcap import *
