"""Reading of upcall captures: from the bytes of a capture file to handshake, exchanges and close.

The modules stand on each other in this order, and none looks upwards:

``formats``      layouts and numbers of pcap and pcapng, taken from dpkt
``reading``      file -> frames
``fragments``    IP fragments -> whole datagrams
``packets``      frame -> TCP segment, or the name of what else it is
``connections``  segments -> connections: handshake, bytes in order, close
``dialogue``     bytes in order -> messages and upcalls
``terminal``     hostile text -> harmless text, colours
``verdict``      what a complete exchange needs, and what is missing
``table``        rows of packets, laid out for a terminal
``show``         the command ``upcall-show``
"""

LAB_PORT = 4141
"""TCP port on which the upcall server listens."""
