"""Files that the controller keeps of each host and student; standard library alone.

``keeping``  puts them into their folder, and moves the earlier ones away
``whole``    exchanges a folder of results in one step
"""
