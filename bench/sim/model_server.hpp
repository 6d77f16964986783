#pragma once
// One simulated model server without its sockets: takes parsed requests, returns what to send. The only
// state of an instance lives here (engine, faults, counters, files). Not thread-safe; one thread per instance.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/answer.hpp"
#include "sim/engine.hpp"
#include "sim/fault.hpp"
#include "sim/file_store.hpp"
#include "sim/http1.hpp"
#include "sim/load_report.hpp"
#include "sim/plain_api.hpp"
#include "sim/stats.hpp"

namespace sluice::sim {

// What makes one instance differ from another.
struct server_profile {
    std::string name = "sim";
    std::vector<std::string> models = {"sim-model"};
    std::vector<std::string> loras;
    bool strict_models = false;  // unknown names are 404 instead of answered
    engine_names engine = engine_names::vllm;
    engine_profile speed;
    double time_scale = 0;                   // real seconds per simulated second; 0: no simulated time at all
    std::chrono::nanoseconds metrics_lag{};  // how old the metrics page may be
    std::vector<std::string> faults;         // rules that stand from the start
    std::size_t heads_kept = 64;             // request heads kept for /sim/stats
};

// A stream with times of its own, independent of the engine: event k is due k * gap after the first.
struct pace {
    std::size_t events = 0;  // 0: not paced
    std::size_t bytes = 0;   // of each event, its frame included
    std::chrono::nanoseconds gap{};
    std::size_t batch = 1;  // events per write
};

// What the connection is to do. `how` says which of the fields count.
struct reply {
    enum class kind {
        whole,            // status, content_type, headers and body
        generated,        // render `said` when the engine has made it
        stream,           // play `said` as events
        realtime_socket,  // upgrade to WebSocket
        echo_socket,
    };
    kind how = kind::whole;
    int status = 200;
    std::string content_type = "application/json";
    std::string headers;  // further lines, each with its line end
    std::string body;
    answer said;
    sequence_spec sequence;
    pace paced;
    fault_plan fault;

    // Keeps the memory of the strings for the next request.
    void clear();
};

class model_server {
public:
    explicit model_server(server_profile profile);

    // Decides about one request. `out` has been cleared.
    void handle(const request& r, reply& out);

    // A conversation turn from a realtime socket: what to say to `text`.
    void handle_turn(std::string_view model, std::string_view text, reply& out);

    const server_profile& profile() const { return profile_; }
    sim::engine& engine() { return engine_; }
    sim::stats& stats() { return stats_; }
    fault_book& faults() { return faults_; }
    bool instant() const { return profile_.time_scale <= 0; }

private:
    void route(const request& r, reply& out);
    bool route_generation(const request& r, reply& out);
    bool route_json(const request& r, reply& out);
    bool route_simulator(const request& r, reply& out);
    void generate(shape as, const request& r, reply& out);
    void begin_generation(const ask& a, const script& s, reply& out);
    void add_faults(const request& r, reply& out);
    void refuse(shape as, const refusal& why, reply& out) const;
    fault_plan fault_for(const request& r, std::optional<std::string>& complaint);
    const std::string& metrics();

    server_profile profile_;
    sim::engine engine_;
    fault_book faults_;
    sim::stats stats_;
    file_store files_;
    simdjson::dom::parser parser_;
    std::uint64_t serial_ = 0;
    std::string metrics_text_;
    steady::time_point metrics_at_{};
};

// "events=50,bytes=200,gap=20ms[,batch=1]"; nothing when it is not understood.
std::optional<pace> parse_pace(std::string_view text);

// The response's head up to and with the blank line. `length`: of the body, or nothing for a chunked one.
void write_head(std::string& out, const reply& r, std::optional<std::size_t> length, bool keep_alive);

}  // namespace sluice::sim
