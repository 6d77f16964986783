#include "sim/io_options.hpp"

#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <iostream>

namespace sluice::sim {
namespace {

using simdjson::dom::element;

// The constants of the engine as they are given: milliseconds and microseconds with fractions.
struct speed_options {
    double base_ms = 9, prefill_us = 62.8, decode_us = 50, context_us = 0.04, lora_load_ms = 1000;

    void apply(engine_profile& p) const {
        const auto nanoseconds = [](double v, double unit) { return sim_time(static_cast<std::int64_t>(v * unit)); };
        p.step_base = nanoseconds(base_ms, 1e6);
        p.per_prefill_token = nanoseconds(prefill_us, 1e3);
        p.per_decode = nanoseconds(decode_us, 1e3);
        p.per_context_token = nanoseconds(context_us, 1e3);
        p.lora_load = nanoseconds(lora_load_ms, 1e6);
    }
};

// Everything one instance can be given, as text where the meaning is checked later.
struct raw_instance {
    instance_options to;
    speed_options speed;
    std::string engine = "vllm";
    std::string metrics_lag = "0";

    // The complaint, or nothing.
    std::string finish() {
        const auto names = engine_names_of(engine);
        if (!names) return "unknown engine: " + engine;
        to.profile.engine = *names;
        const auto lag = parse_duration(metrics_lag);
        if (!lag) return "bad metrics lag: " + metrics_lag;
        to.profile.metrics_lag = *lag;
        speed.apply(to.profile.speed);
        if (to.profile.models.empty()) return "an instance needs a model";
        if (to.profile.speed.block_tokens == 0) return "block tokens must be positive";
        fault_book probe;
        for (const std::string& rule : to.profile.faults) {
            if (const auto complaint = probe.add(rule)) return *complaint;
        }
        return {};
    }
};

void add_options(CLI::App& app, raw_instance& r) {
    server_profile& p = r.to.profile;
    engine_profile& s = p.speed;
    app.add_option("--host", r.to.host, "Address to listen on");
    app.add_option("--port", r.to.port, "Port of the first instance; 0: any free port");
    app.add_option("--name", p.name, "Name; with --count a number is appended");
    app.add_option("--models", p.models, "Model names")->delimiter(',');
    app.add_option("--loras", p.loras, "Adapter names, also accepted as models")->delimiter(',');
    app.add_flag("--strict-models", p.strict_models, "Answer 404 for other model names");
    app.add_option("--engine", r.engine, "Names on /metrics: vllm, sglang, trtllm, tgi");
    app.add_option("--time-scale", p.time_scale, "Real seconds per simulated second; 0: answer at once");
    app.add_option("--metrics-lag", r.metrics_lag, "How old /metrics may be, e.g. 200ms");
    app.add_option("--fault", p.faults, "A standing fault, e.g. 'status=429;every=10' (repeatable)");
    app.add_option("--keep-requests", p.heads_kept, "Request heads kept for /sim/stats");
    app.add_option("--step-base-ms", r.speed.base_ms, "Time of an empty step");
    app.add_option("--prefill-us", r.speed.prefill_us, "Time per prefill token");
    app.add_option("--decode-us", r.speed.decode_us, "Time per running decode and step");
    app.add_option("--context-us", r.speed.context_us, "Time per context token and step");
    app.add_option("--lora-load-ms", r.speed.lora_load_ms, "Time to load an adapter");
    app.add_option("--lora-slots", s.lora_slots, "Adapters loaded at once");
    app.add_option("--kv-tokens", s.kv_tokens, "Capacity of the KV cache");
    app.add_option("--block-tokens", s.block_tokens, "Tokens per block");
    app.add_option("--prefill-budget", s.prefill_budget, "Tokens computed per step");
    app.add_option("--sequences-max", s.sequences_max, "Requests running at once");
    app.add_option("--model-tokens-max", s.model_tokens_max, "Context length");
}

// One value of the file as words of a command line, so that file and command line know the same options.
void add_words(std::string_view key, const element& value, std::vector<std::string>& words) {
    simdjson::dom::array list;
    std::string_view text;
    bool flag = false;
    if (value.get(list) == simdjson::SUCCESS) {
        for (const element item : list) add_words(key, item, words);
    } else if (value.get(flag) == simdjson::SUCCESS) {
        if (flag) words.push_back("--" + std::string(key));
    } else {
        words.push_back("--" + std::string(key));
        words.push_back(value.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(value));
    }
}

// {"instances": [{"name": "a", "port": 9001, "time-scale": 0.1, ...}, ...]}; the command line gives defaults.
std::string read_file(const std::string& path, const raw_instance& defaults, std::vector<raw_instance>& out) {
    simdjson::dom::parser parser;
    simdjson::dom::array list;
    if (parser.load(path)["instances"].get(list) != simdjson::SUCCESS) return path + ": needs a list \"instances\"";
    for (const element item : list) {
        simdjson::dom::object object;
        if (item.get(object) != simdjson::SUCCESS) return path + ": an instance must be an object";
        std::vector<std::string> words;
        for (const auto [key, value] : object) add_words(key, value, words);
        std::reverse(words.begin(), words.end());  // as CLI11 wants it
        raw_instance& r = out.emplace_back(defaults);
        CLI::App app;
        add_options(app, r);
        try {
            app.parse(words);
        } catch (const CLI::ParseError& e) {
            return path + ": " + e.what();
        }
    }
    return {};
}

std::vector<raw_instance> counted(const raw_instance& first, unsigned count) {
    std::vector<raw_instance> out;
    for (unsigned i = 0; i < count; ++i) {
        raw_instance& r = out.emplace_back(first);
        if (count > 1) r.to.profile.name += "-" + std::to_string(i + 1);
        if (r.to.port != 0) r.to.port = static_cast<std::uint16_t>(r.to.port + i);
    }
    return out;
}

}  // namespace

std::optional<options> read_options(int argc, char** argv, int& exit_code) {
    CLI::App app{"Simulated model servers"};
    raw_instance first;
    options out;
    unsigned count = 1;
    std::string file;
    std::vector<std::string> tls;
    add_options(app, first);
    app.add_option("--count", count, "Instances, on ascending ports")->check(CLI::Range(1, 1000));
    app.add_option("--threads", out.threads, "Threads the instances are dealt out over")->check(CLI::Range(1, 64));
    app.add_option("--tls", tls, "Certificate and key, PEM files")->expected(2);
    app.add_option("--config", file, "JSON file with a list of instances");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        exit_code = app.exit(e);
        return std::nullopt;
    }
    std::vector<raw_instance> raw;
    std::string complaint;
    if (file.empty()) {
        raw = counted(first, count);
    } else {
        complaint = read_file(file, first, raw);
    }
    for (raw_instance& r : raw) {
        if (complaint.empty()) complaint = r.finish();
        out.instances.push_back(std::move(r.to));
    }
    if (!complaint.empty()) {
        std::cerr << "sluice-sim: " << complaint << '\n';
        exit_code = 2;
        return std::nullopt;
    }
    if (!tls.empty()) {
        out.certificate = tls[0];
        out.key = tls[1];
    }
    return out;
}

}  // namespace sluice::sim
