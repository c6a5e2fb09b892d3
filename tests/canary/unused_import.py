import os
x = {  "not": "formatted" }
