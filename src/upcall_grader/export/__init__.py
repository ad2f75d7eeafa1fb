"""Results as files for other programs.

``counting``     which file counts when a student has several
``feedback``     what a submission came to, as one line of text
``grades_json``  grades.json, and the schema that tells its keys
``tables``       grades.csv, for people
``moodle``       moodle.csv, for Moodle's gradebook
``canvas``       canvas.csv, for Canvas' gradebook
``files``        all of them written to a folder
"""
