"""checkpoint_torch.py ATTEMPT DATA STEPS [PEER] - evaluates a checkpoint of hrmlab in torch.

ATTEMPT: directory of an attempt with job.json and final.safetensors. DATA: its data in the
published layout (hrmlab data build). STEPS: outer steps. PEER: a file like peer_torch.py
(Network, Run, Config); default ../shared/tools/peer_torch.py. Prints, over the test set,
the measures per_token_accuracy, exact_rows and lm_loss, to compare with `hrmlab results`.
"""
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch

KINDS = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64}


def read_safetensors(path):
    raw = Path(path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    tensors = json.loads(raw[8 : 8 + size])
    tensors.pop("__metadata__", None)
    out = {}
    for name, t in tensors.items():
        begin, end = (8 + size + at for at in t["data_offsets"])
        array = np.frombuffer(raw[begin:end], KINDS[t["dtype"]]).reshape(t["shape"])
        out[name] = torch.from_numpy(array.copy())
    return out


def load_peer(path):
    spec = importlib.util.spec_from_file_location("peer_torch", path)
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    return peer


def make_network(peer, weights, config, steps, data):
    """Sizes follow from the tensors; what they do not show, from the job's settings."""
    table = json.loads((data / "dataset.json").read_text())
    depth = {x: len({n.split(".")[3] for n in weights if f".{x}_level." in n}) for x in "HL"}
    rope = "inner.embed_pos.embedding_weight" not in weights
    puzzle = weights.get("inner.puzzle_emb.weights", torch.zeros(1, 0))
    cfg = peer.Config(
        kind=config.get("arch.name", "hrm"), batch=64, tokens=table["seq_len"],
        vocab=table["vocab_size"], hidden=weights["inner.H_init"].numel(),
        heads=config["arch.num_heads"], H_layers=depth["H"], L_layers=depth["L"],
        H_cycles=config.get("arch.H_cycles", 2), L_cycles=config.get("arch.L_cycles", 2),
        puzzle_dim=puzzle.shape[1], puzzle_ids=puzzle.shape[0], rope=rope, max_steps=steps)
    cfg.ffn = weights["inner.H_level.layers.0.mlp.down_proj.weight"].shape[1]
    return peer.Network(cfg, weights)


def main():
    attempt, data, steps = Path(sys.argv[1]), Path(sys.argv[2]) / "test", int(sys.argv[3])
    peer = load_peer(sys.argv[4] if len(sys.argv) > 4 else "../shared/tools/peer_torch.py")
    config = json.loads((attempt / "job.json").read_text())["config"]
    weights = read_safetensors(attempt / "final.safetensors")
    network = make_network(peer, weights, config, steps, data)
    names = ("inputs", "labels", "puzzle_identifiers")
    arrays = [torch.from_numpy(np.load(data / f"all__{n}.npy").astype(np.int64)) for n in names]
    arrays[1][arrays[1] == 0] = peer.IGNORE  # the published layout: 0 is no label
    loss = right = exact = 0.0
    run = peer.Run(network)
    for batch in zip(*(a.split(64) for a in arrays)):
        run.fresh(len(batch[0]))
        for _ in range(steps):
            out = run.evaluate(batch)
        share = ((out["logits"].argmax(-1) == batch[1]) | (batch[1] == peer.IGNORE)).all(-1)
        loss, right = loss + float(out["lm_loss"]), right + float(out["metrics/accuracy"])
        exact += float(share.sum())
    rows = len(arrays[0])
    print(f"{rows} rows: per_token_accuracy {right / rows:.6f}, exact_rows {exact / rows:.6f}, "
          f"lm_loss {loss / rows:.6f}")


main()
