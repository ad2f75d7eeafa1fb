"""Results as pages for people: one for the class, one for each submission.

``names``      file names of the students' pages
``phrases``    what the pages say, in one language
``ladder``     the judged connection read once more, its first and last steps kept
``drawing``    those steps as panels of a ladder diagram
``student``    what a student's page shows
``course``     what the page of the class shows
``rendering``  those as HTML, written nowhere
``pages``      ``write_report``: all of it together

``templates``  hold the pages' HTML, style and scripts. Each page is one file that fetches nothing.
"""
