"""From the bytes of a capture file to connections, messages and upcalls.

The modules stand on each other in this order, and none looks upwards:

``formats``      layouts and numbers of pcap and pcapng, taken from dpkt
``frames``       what a frame is, and the kinds of link layers
``reading``      file -> frames
``fragments``    IP fragments -> whole datagrams
``packets``      frame -> TCP segment, or the name of what else it is
``streams``      the bytes of one side, in order
``connections``  segments -> connections: handshake, bytes in order, close
``dialogue``     bytes in order -> messages and upcalls
``phases``       segments -> which part of their connection they are
"""
