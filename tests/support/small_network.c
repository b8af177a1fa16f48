/* small_network.c - the settings of a network for tests. */
#include "support/small_network.h"

struct engine_config small_network(enum system_id system, struct small_network sizes)
{
    return (struct engine_config){
        .system = system,
        .batch_size = sizes.batch,
        .seq_len = sizes.tokens,
        .vocab_size = sizes.vocabulary,
        .num_puzzle_identifiers = sizes.identifiers,
        .puzzle_emb_ndim = sizes.width,
        .H_layers = 1,
        .L_layers = 1,
        .H_cycles = 2,
        .L_cycles = 2,
        .hidden_size = sizes.width,
        .num_heads = 2,
        .intermediate_size = 24,
        .pos_encodings = ENGINE_ROPE,
        .rope_theta = 10000.0,
        .rms_norm_eps = 1e-5,
        .loss_type = ENGINE_STABLEMAX,
        .halt_max_steps = 3,
        .act_enabled = true,
        .target_q_update_every = 1,
        .global_batch_size = sizes.batch,
        .lr = 1e-3,
        .lr_min_ratio = 1.0,
        .weight_decay = 0.1,
        .beta1 = 0.9,
        .beta2 = 0.95,
        .total_steps = 100,
        .puzzle_emb_lr = 1e-2,
        .puzzle_emb_weight_decay = 0.1,
    };
}
