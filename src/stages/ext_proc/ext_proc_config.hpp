// What the stage `ext_proc` is told about its processor.
#pragma once

#include "net/tls_config.hpp"
#include "routing/ext_proc/session_config.hpp"

#include <sluice/config.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sluice::ext_proc_stage {

struct ext_proc_config {
    ext_proc_config();

    std::string name;    // label of metrics; `target` if empty
    std::string target;  // host:port
    std::optional<net::tls_client_config> tls;
    std::vector<std::string> request_attributes;
    // Where the processor says in a header of the request which model it chose.
    std::vector<std::string> model_headers{"x-vsr-selected-model", "x-selected-model"};
    byte_size body_bytes_max{8 << 20};  // a body the processor is given whole or gives whole
    ext_proc::session_config session;
};
void read(config_reader& r, ext_proc_config& c);

}  // namespace sluice::ext_proc_stage
