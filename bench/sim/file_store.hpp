#pragma once
// Files and batches, in memory, with as much of the API as an SDK needs to upload, list, read and delete.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sim/http1.hpp"

namespace sluice::sim {

struct stored_reply {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
};

// One instance's files. Bounded: the oldest file goes when there are too many or they are too large.
class file_store {
public:
    // Answers anything under /v1/files and /v1/batches. A batch is complete as soon as it is made; its
    // output file has one line for each line of its input file.
    stored_reply serve(const request& r, std::int64_t now);
    void clear();

private:
    struct file {
        std::string name, purpose, content;
        std::int64_t created = 0;
    };
    struct batch {
        std::string input, output, endpoint, status;
        std::int64_t created = 0;
        std::size_t lines = 0;
    };

    stored_reply files(const request& r, std::string_view rest, std::int64_t now);
    stored_reply batches(const request& r, std::string_view rest, std::int64_t now);
    stored_reply make_batch(const request& r, std::int64_t now);
    std::string add(file f);

    std::map<std::string, file, std::less<>> files_;
    std::map<std::string, batch, std::less<>> batches_;
    std::uint64_t serial_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace sluice::sim
