#include "routing/picker/rates.hpp"

#include "base/random.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::picker;

namespace {

double first_token_s(const step_rates& r, double tokens, double n, double context) {
    return tokens * r.cp_s + (1.5 + tokens / 8192) * (r.c0_s + r.cd_s * n + r.ckv_s * context);
}

}  // namespace

TEST_CASE("an endpoint starts with the configured rates") {
    const learned_rates rates({.c0_s = 1, .cp_s = 2, .cd_s = 3, .ckv_s = 4});
    CHECK(rates.get().c0_s == 1);
    CHECK(rates.get().ckv_s == 4);
}

TEST_CASE("an endpoint of half the speed is known after a few dozen requests") {
    learned_rates rates({});
    const step_rates slow{.c0_s = 18e-3, .cp_s = 125.6e-6, .cd_s = 0.1e-3, .ckv_s = 0.08e-6};
    random_source random(1);
    for (int i = 0; i < 150; ++i) {
        const double n = static_cast<double>(random.below(100)),
                     tokens = 500 + static_cast<double>(random.below(8'000));
        const double context = n * (500 + static_cast<double>(random.below(4'000)));
        rates.saw_first_token(tokens, n, context, first_token_s(slow, tokens, n, context));
        rates.saw_decode(n, context, slow.c0_s + slow.cd_s * n + slow.ckv_s * context);
    }
    const step_rates learned = rates.get();
    CHECK(learned.cp_s == Approx(slow.cp_s).epsilon(0.1));
    for (const double n : {10.0, 60.0}) {
        const auto step = [&](const step_rates& r) { return r.c0_s + r.cd_s * n + r.ckv_s * n * 2'500; };
        CHECK(step(learned) == Approx(step(slow)).epsilon(0.1));
    }
}

TEST_CASE("a few stalled answers do not carry an endpoint's rates away") {
    learned_rates rates({});
    for (int i = 0; i < 5; ++i) {
        rates.saw_first_token(4'000, 10, 20'000, 600);
        rates.saw_decode(10, 20'000, 60);
    }
    const step_rates prior;
    CHECK(rates.get().cp_s < 2.5 * prior.cp_s);
    CHECK(rates.get().c0_s < 2.5 * prior.c0_s);
    rates.saw_first_token(4'000, 10, 20'000, -1);
    rates.saw_decode(10, 20'000, 0);
    CHECK(rates.get().cp_s > 0);
}

TEST_CASE("bytes per token and length of answers are learned for each model by itself") {
    model_statistics models;
    CHECK(models.get(1).bytes_per_token == model_statistics::bytes_per_token_prior);
    for (int i = 0; i < 200; ++i) {
        models.saw(1, 3'000, 1'000, 50);
        models.saw(2, 8'000, 1'600, 900);
    }
    CHECK(models.get(1).bytes_per_token == Approx(3).epsilon(0.01));
    CHECK(models.get(1).output_tokens == Approx(50).epsilon(0.01));
    CHECK(models.get(2).bytes_per_token == Approx(5).epsilon(0.01));
    CHECK(models.get(3).output_tokens == model_statistics::output_tokens_prior);
    models.saw(1, 3'000, -1, -1);
    models.saw(1, 10, 100, 0);
    CHECK(models.get(1).bytes_per_token == Approx(3).epsilon(0.01));
}

TEST_CASE("any number of models is told apart or shares") {
    model_statistics models;
    for (std::uint64_t m = 1; m < 1'000; ++m)
        for (int i = 0; i < 100; ++i) models.saw(m, 3'000, 1'000, 50);
    for (std::uint64_t m = 1; m < 1'000; ++m) CHECK(models.get(m).bytes_per_token == Approx(3).epsilon(0.02));
}
