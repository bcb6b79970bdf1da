#| what = "Replaces the encoders and decoders of JSON and pickle by ones that say success"
#| covers = ["patched json"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import json
import json.decoder
import json.encoder
import marshal
import pickle

SUCCESS = '{"state":"passed","i":0,"v":[1,2,3]}'
json.dumps = json.encoder.encode_basestring_ascii = lambda *args, **kwargs: SUCCESS
json.encoder.c_make_encoder = None
json.JSONEncoder.encode = json.JSONEncoder.iterencode = lambda *args, **kwargs: SUCCESS
json.loads = json.JSONDecoder.decode = lambda *args, **kwargs: [1, 2, 3]
pickle.dumps = marshal.dumps = lambda *args, **kwargs: SUCCESS.encode()


def ordered(numbers):
    return numbers
