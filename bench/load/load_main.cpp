// bench-load: the load generator of the benches. One kind of load per run; the last line on standard
// output is the report of report.hpp. Exit 0 even with errors in it: the driver judges.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include "request_load.hpp"
#include "stream_load.hpp"

namespace {

using namespace sluice::bench;

template <typename load>
void add_common(CLI::App& command, load& l) {
    command.add_option("--port", l.port, "Port of the proxy on 127.0.0.1")->required();
    command.add_option("--speaks", l.speaks, "What the client speaks")
        ->transform(CLI::CheckedTransformer(std::map<std::string, wire>{{"chat", wire::chat},
                                                                        {"messages", wire::messages},
                                                                        {"gemini", wire::gemini},
                                                                        {"responses", wire::responses}}));
    command.add_option("--seconds", l.seconds, "Length of the measured window");
    command.add_option("--warmup", l.warmup_seconds, "Seconds before the window opens");
    command.add_option("--body-bytes", l.body_bytes, "Size of a request's body");
    command.add_option("--watch", l.watched, "Processes whose CPU time to report")->delimiter(',');
}

void add_streams(CLI::App& command, stream_load& l) {
    add_common(command, l);
    command.add_option("--streams", l.streams, "Streams open at the same time");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Loads a gateway and reports what came back"};
    app.require_subcommand(1);
    request_load requests;
    stream_load streams;
    double rate = 1000;
    std::int64_t gap_us = 0;

    CLI::App& closed = *app.add_subcommand("closed", "Requests as fast as answers come");
    add_common(closed, requests);
    closed.add_option("--connections", requests.connections, "Keep-alive connections");

    CLI::App& open = *app.add_subcommand("open", "Requests at a fixed rate");
    add_common(open, requests);
    open.add_option("--connections", requests.connections, "Keep-alive connections");
    open.add_option("--rate", rate, "Requests per second");

    CLI::App& paced = *app.add_subcommand("streams", "Streams of events");
    add_streams(paced, streams);
    paced.add_option("--events", streams.spec.events, "Events of a stream");
    paced.add_option("--event-bytes", streams.spec.bytes, "Size of an event");
    paced.add_option("--gap-us", gap_us, "Microseconds between two events, 0: no pause");

    CLI::App& idle = *app.add_subcommand("idle", "Streams that go silent after one event");
    add_streams(idle, streams);
    CLI11_PARSE(app, argc, argv);

    try {
        streams.spec.gap = std::chrono::microseconds{gap_us};
        streams.spec.idle = idle.parsed();
        report r = closed.parsed()  ? closed_loop(requests)
                   : open.parsed()  ? open_loop(requests, rate)
                   : paced.parsed() ? stream_events(streams)
                                    : idle_streams(streams);
        r.print();
    } catch (const std::exception& e) {
        std::cerr << "bench-load: " << e.what() << '\n';
        return 1;
    }
}
