// The catalogue as the configuration writes it: the file of models, and what a user says over it.
//
//   catalogue:
//     file: models.yaml                 # models: [...], the same entries as below
//     models:
//       - {name: gpt-4o, prices: {input: 2.0}}   # only this price differs
//       - {name: our-model, context_tokens: 32768, prices: {input: "0.10", output: "0.30"}}
#pragma once

#include "governance/catalogue/model_info.hpp"

#include <sluice/config.hpp>

#include <string>
#include <vector>

namespace sluice::catalogue {

inline constexpr std::size_t models_max = 10'000;
inline constexpr std::size_t aliases_max = 64;  // of one model
inline constexpr std::size_t tiers_max = 16;
inline constexpr std::int64_t tokens_max = 1'000'000'000'000;  // of a window or a tier

// The file: nothing but `models`.
struct catalogue_file {
    std::vector<model_info> models;
};

// The top-level key `catalogue`.
struct catalogue_config {
    std::string file;         // empty: none
    std::string token_ranks;  // folder of rank files; empty: none
    std::vector<model_info> models;
};

// Each reports, besides what the types say: a price that is no decimal number or finer than the unit, tiers that do
// not ascend, and a name or alias that two models of the same list claim.
void read(config_reader& r, model_info& m);
void read(config_reader& r, model_prices& p);
void read(config_reader& r, price_tier& t);
void read(config_reader& r, capabilities& c);
void read(config_reader& r, catalogue_file& f);
void read(config_reader& r, catalogue_config& c);

}  // namespace sluice::catalogue
