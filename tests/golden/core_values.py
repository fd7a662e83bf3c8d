"""Makes core_values.json: what TensorFlow says of dtypes, shapes and TensorProtos. Run it where TensorFlow is.

    python tests/golden/core_values.py tests/golden/core_values.json

Cases are expressions in `tf`, `np`, `D` (Dimension), `S` (TensorShape), `M` (make_tensor_proto) and TensorProto. Their
results are kept as reprs, protos as hexadecimal bytes, and errors as `!` and the name of the class.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.python.framework import dtypes

FACTS = (
    "is_floating", "is_integer", "is_complex", "is_bool", "is_quantized", "is_unsigned", "is_numpy_compatible",
    "_is_ref_dtype",
)  # fmt: skip

AS_DTYPE = """
'float' 'double' 'half' 'int32' 'float32_ref' 'foo' 'S' None 3.7 [] float bool int str bytes object complex 1 101 0 999
np.float32 np.int64 np.longlong np.bool_ np.object_ np.str_ np.dtype('S5') np.dtype('U3') np.dtype('O') np.dtype('>f4')
np.dtype('i8') np.datetime64 tf.int32 tf.qint8.as_numpy_dtype tf.bfloat16.as_numpy_dtype
"""


NUMBERS = """
float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128
"""

SHAPES = """
D(3)
D(None)
D(-1)
D('a')
D(3.5)
D(D(3))
D(np.int64(3))
str(D(None))
D(3)==3
D(3)==None
D(None)==D(None)
D(None)!=3
D(3)=='a'
D(3)!='a'
D(3)<D(None)
D(3)<4
D(3)>=3
D(3)+None
3+D(2)
D(3)+-1
D(3)-4
5-D(3)
D(3)*D(None)
2*D(3)
D(7)//2
7//D(2)
D(7)%2
7%D(2)
D(7)/2
7/D(2)
D(7)+2.5
D(3)+'a'
D(7)//0
int(D(3))
int(D(None))
bool(D(0))
hash(D(3))
D(3).merge_with(4)
D(3).merge_with(None)
D(3).is_compatible_with(None)
D(3).assert_is_compatible_with(4)
[1,2,3][D(1)]
list(range(D(3)))
S([2,None])
S(None)
S([])
S(3)
S([2,-1])
S('ab')
S([3,'a'])
S({'a':1})
S(3.5)
S((2,D(3)))
S(S([1,2]))
S(range(3))
S(iter([1,2]))
S(np.array([2,3]))
str(S([2,None]))
str(S([2]))
str(S([]))
str(S(None))
S([2,None])[0]
S([2,None,5])[1:]
S([2,None,5])[-1]
S([2])[3]
S(None)[0]
S(None)[1:]
S(None)[1:3]
S(None)[1:3:2]
S(None)[-2:]
S(None)[:3]
S(None)[:-1]
S(None)[3:1]
len(S(None))
len(S([1,2]))
list(S([1,None]))
list(S(None))
bool(S(None))
bool(S([]))
S(None).ndims
S([1,2]).dims
S(None).dims
S([1,None]).as_list()
S(None).as_list()
S([2,3]).num_elements()
S([2,None]).num_elements()
S([0,None]).num_elements()
S([0,3]).num_elements()
S([]).num_elements()
S([2,3])==[2,3]
[2,3]==S([2,3])
S([2,None])==S([2,None])
S(None)==S(None)
S([2,3])!=[2,3]
S([2])==S(None)
S([2])=='abc'
S([2])==2
S([1,None]).merge_with([None,2])
S([1,None]).merge_with([3,2])
S([1,None]).merge_with([1])
S([1,None]).merge_with(None)
S(None).merge_with([1])
S([1,None]).concatenate([3])
S([1,None]).concatenate(None)
S([1])+[2]
[1]+S([2])
S([1]).is_compatible_with([None])
S([1]).is_compatible_with([2])
S([1]).is_compatible_with([1,1])
S([1]).assert_is_compatible_with([2])
S([1]).assert_same_rank([2,3])
S([1]).assert_has_rank(2)
S(None).assert_has_rank(2)
S([1]).with_rank(2)
S(None).with_rank(2)
S([1]).with_rank_at_least(2)
S(None).with_rank_at_least(2)
S([1,2]).with_rank_at_most(1)
S([1,None]).assert_is_fully_defined()
S([1,None]).is_fully_defined()
S([1,2]).most_specific_compatible_shape([1,3])
S([1,2]).most_specific_compatible_shape([1])
S([1,None]).as_proto().SerializeToString()
S(None).as_proto().SerializeToString()
S(S([1,None]).as_proto())
S(S(None).as_proto())
tf.dimension_value(D(3))
tf.dimension_value(4)
tf.dimension_at_index(S([1,2]),1)
tf.dimension_at_index(S(None),1)
""".strip().splitlines()

PROTOS = """
M(1)
M(2**31)
M(-2**31)
M(2**63)
M(2**64)
M(2**31,tf.int64)
M(1.5)
M(True)
M('abc')
M('h\\u00e9llo')
M(b'ab')
M(1j)
M([1,2])
M([1,2.5])
M([True,1])
M([1.5,True])
M([True,False])
M([1,'a'])
M(['a',1])
M(['a','bc'])
M([b'a\\0',b'b'])
M([[1,2],[3,4]])
M([[1,2],(3,4)])
M([[1,2],[3]])
M([[1],2])
M([1,[2]])
M([['a','b'],['c']])
M([])
M([[]])
M([],tf.int32)
M([],tf.string)
M(None)
M([None])
M([1,None])
M([None],tf.int32)
M(1.5,tf.int32)
M([1,1.5],tf.int32)
M('a',tf.int32)
M(1,tf.float32)
M(1,tf.bool)
M(1,tf.string)
M(True,tf.int32)
M(1.5,tf.bool)
M(1j,tf.float32)
M(1j,tf.int32)
M(1.0,tf.complex64)
M([1,2],tf.complex128)
M(300,tf.uint8)
M(-1,tf.uint8)
M(2**40,tf.uint32)
M([2**31],tf.int32)
M(1,tf.half)
M([1.,2.],tf.half)
M(65520.,tf.half)
M([1.,2.],tf.bfloat16)
M(1.5,tf.bfloat16)
M(1.5,tf.qint8)
M(np.float64(1.5))
M(np.array([1.,2.]))
M(np.array([1,2]))
M(np.array([1.,2.]),tf.float32)
M(np.array([1.5,2.]),tf.int32)
M(np.array([True]),tf.int32)
M(np.array([2**40]),tf.int32)
M(np.array(['a','b']))
M(np.array([b'a',b'b']))
M(np.array(['a',1],dtype=object))
M(np.array(['a'],dtype=object))
M(np.array([1,None]))
M(np.float32(1.5))
M(np.int64(3))
M(np.bool_(True))
M([np.int64(3)])
M([np.float64(3)])
M([np.float32(3),1])
M(1,shape=[3])
M(1,shape=[2,2])
M([1,2,3,4],shape=[2,2])
M([1,2],shape=[3])
M([1,2,3],shape=[2])
M([],shape=[2])
M([1],tf.int32,shape=[])
M([1,2],shape=[3],verify_shape=True)
M([1,2],shape=[2],verify_shape=True)
M(1,shape=[3],allow_broadcast=True)
M([1,2],shape=[3],allow_broadcast=True)
M([1,2,3],allow_broadcast=True,verify_shape=True)
M(np.array([1,2]),shape=[3])
M(np.array(1),shape=[3,2])
M(np.array([1,2,3,4]),shape=[2,2])
M(np.zeros([0,2],np.float32))
M(np.arange(3)[::-1])
M(np.arange(6).reshape(2,3).T)
M(float('nan'))
M(1e40)
M(1e40,tf.float64)
M(10**20,tf.float32)
M([2**40,1])
M([2**40,1.5])
M(b'a'*3,shape=[2])
M([1.5,'a'])
M(1.5,tf.string)
M(['a'],tf.float32)
M([b'a',None])
M({'a':1})
M(object())
M(np.datetime64('2020-01-01'))
M(tf.float32)
M(1,tf.float32._as_ref)
M(1,tf.resource)
M(1,shape=[None])
""".strip().splitlines() + [
    f"M(np.{make}.astype(tf.{name}.as_numpy_dtype))"
    for name in NUMBERS.split()
    for make in ("array(1)", "array([1, 0, 2])", "ones([2, 2])")
]  # fmt: skip

# Messages in forms that programs never write but other writers do; the answer is the array.
READS = """
TensorProto(dtype=1, tensor_shape=S([3]).as_proto(), float_val=[1.0, 2.0])
TensorProto(dtype=1, tensor_shape=S([2, 2]).as_proto(), float_val=[1.5])
TensorProto(dtype=3, tensor_shape=S([2]).as_proto())
TensorProto(dtype=3, tensor_shape=S([]).as_proto(), int_val=[-7])
TensorProto(dtype=4, tensor_shape=S([3]).as_proto(), int_val=[200])
TensorProto(dtype=9, tensor_shape=S([2]).as_proto(), int64_val=[-1, 2**40])
TensorProto(dtype=10, tensor_shape=S([2]).as_proto(), bool_val=[True])
TensorProto(dtype=10, tensor_shape=S([2]).as_proto(), tensor_content=bytes([1, 0]))
TensorProto(dtype=8, tensor_shape=S([2]).as_proto(), scomplex_val=[1.0, 2.0])
TensorProto(dtype=18, tensor_shape=S([2]).as_proto(), dcomplex_val=[1.0, 2.0, 3.0, 4.0])
TensorProto(dtype=19, tensor_shape=S([3]).as_proto(), half_val=[15360, 49152])
TensorProto(dtype=14, tensor_shape=S([2]).as_proto(), half_val=[16256])
TensorProto(dtype=17, tensor_shape=S([2]).as_proto(), int_val=[65535, 1])
TensorProto(dtype=22, tensor_shape=S([2]).as_proto(), uint32_val=[2**32 - 1])
TensorProto(dtype=23, tensor_shape=S([1]).as_proto(), uint64_val=[2**64 - 1])
TensorProto(dtype=7, tensor_shape=S([2]).as_proto(), string_val=[b'a', b''])
TensorProto(dtype=7, tensor_shape=S([2]).as_proto(), string_val=[b'ab'])
TensorProto(dtype=2, tensor_shape=S([0, 2]).as_proto())
TensorProto(dtype=20, tensor_shape=S([]).as_proto())
""".strip().splitlines()


def outcome(function: Any, case: str) -> str:
    """Return the result of a case as text, or `!` and the name of the error."""
    try:
        return str(function(case))
    except Exception as error:
        return f"!{type(error).__name__}"


def dtype_facts() -> dict[str, Any]:
    """Return TensorFlow's numbers and what it says of them."""
    return {
        name: [number, base.base_dtype.name, base.real_dtype.name, *(bool(getattr(base, fact)) for fact in FACTS)]
        for number, base in sorted(dtypes._INTERN_TABLE.items())
        if (name := base.name)
    }


def main(target: str) -> None:
    """Write the file."""
    names = {
        "tf": tf, "np": np, "TensorProto": TensorProto, "D": tf.Dimension, "S": tf.TensorShape,
        "M": tf.make_tensor_proto,
    }  # fmt: skip
    golden = {
        "facts": dtype_facts(),
        "as_dtype": {case: outcome(lambda c: tf.as_dtype(eval(c, names)).name, case) for case in AS_DTYPE.split()},
        "shapes": {case: outcome(lambda c: repr(eval(c, names)), case) for case in SHAPES},
        "protos": {case: outcome(lambda c: eval(c, names).SerializeToString().hex(), case) for case in PROTOS},
        "reads": {case: outcome(lambda c: read(eval(c, names)), case) for case in READS},
    }
    with open(target, "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=0)
        file.write("\n")


def read(proto: Any) -> Any:
    """Return the dtype and elements of a proto's array."""
    array = tf.make_ndarray(proto)
    return str(array.dtype), array.tolist()


if __name__ == "__main__":
    tf.disable_v2_behavior()
    main(sys.argv[1])
