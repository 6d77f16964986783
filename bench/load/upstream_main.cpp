// bench-upstream: the model server of the benches, see upstream.hpp.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "upstream.hpp"

int main(int argc, char** argv) {
    CLI::App app{"A model server that costs next to nothing: fixed chat answers and streams of stamped events"};
    std::uint16_t port = 0;
    app.add_option("--port", port, "Port on 127.0.0.1")->required();
    CLI11_PARSE(app, argc, argv);
    try {
        sluice::bench::upstream{port}.run();
    } catch (const std::exception& e) {
        std::cerr << "bench-upstream: " << e.what() << '\n';
        return 1;
    }
}
