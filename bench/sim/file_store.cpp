#include "sim/file_store.hpp"

#include <simdjson.h>

#include <algorithm>

#include "sim/json_out.hpp"
#include "sim/plain_api.hpp"
#include "sim/text.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {
namespace {

constexpr std::size_t entries_max = 1000;
constexpr std::size_t bytes_max = std::size_t{256} << 20;

stored_reply not_found(std::string_view what) {
    return {404, error_body(shape::chat, 404, "No such object: " + std::string(what)), "application/json"};
}

// Ids ascend with their number, so that the first entry of a map is the oldest.
std::string numbered(std::string_view prefix, std::uint64_t n) {
    const std::string digits = std::to_string(n);
    return std::string(prefix) + std::string(12 - std::min<std::size_t>(12, digits.size()), '0') + digits;
}

template <class Map, class Write>
stored_reply list_of(const Map& entries, const Write& write) {
    stored_reply out;
    out.body = R"({"object":"list","data":[)";
    for (auto it = entries.begin(); it != entries.end(); ++it) {
        if (it != entries.begin()) out.body += ',';
        write(out.body, it->first, it->second);
    }
    out.body += R"(],"has_more":false})";
    return out;
}

}  // namespace

stored_reply file_store::serve(const request& r, std::int64_t now) {
    constexpr std::string_view files_path = "/v1/files", batches_path = "/v1/batches";
    std::string_view rest = r.path;
    const bool is_file = rest.starts_with(files_path);
    rest.remove_prefix(is_file ? files_path.size() : std::min(batches_path.size(), rest.size()));
    if (rest.starts_with('/')) rest.remove_prefix(1);
    return is_file ? files(r, rest, now) : batches(r, rest, now);
}

void file_store::clear() {
    files_.clear();
    batches_.clear();
    bytes_ = 0;
}

std::string file_store::add(file f) {
    bytes_ += f.content.size();
    const std::string id = numbered("file-", ++serial_);
    files_.emplace(id, std::move(f));
    while (files_.size() > 1 && (files_.size() > entries_max || bytes_ > bytes_max)) {
        bytes_ -= files_.begin()->second.content.size();
        files_.erase(files_.begin());
    }
    return id;
}

stored_reply file_store::files(const request& r, std::string_view rest, std::int64_t now) {
    const auto write = [](std::string& out, const std::string& id, const file& f) {
        put(out, R"({"id":)", quoted{id}, R"(,"object":"file","bytes":)", f.content.size(), R"(,"created_at":)",
            f.created, R"(,"filename":)", quoted{f.name}, R"(,"purpose":)", quoted{f.purpose},
            R"(,"status":"processed"})");
    };
    stored_reply out;
    if (rest.empty()) {
        if (r.method != "POST") return list_of(files_, write);
        file f{"", "", "", now};
        for (const form_part& p : read_form(r.find("content-type"), r.body)) {
            if (p.name == "purpose") f.purpose = p.content;
            if (p.name != "file") continue;
            f.name = p.file_name;
            f.content = p.content;
        }
        const std::string id = add(std::move(f));
        write(out.body, id, files_.at(id));
        return out;
    }
    const auto id = rest.substr(0, rest.find('/'));
    const auto found = files_.find(id);
    if (found == files_.end()) return not_found(id);
    if (rest.substr(id.size()) == "/content") {
        return {200, found->second.content, "application/octet-stream"};
    }
    if (r.method == "DELETE") {
        put(out.body, R"({"id":)", quoted{id}, R"(,"object":"file","deleted":true})");
        bytes_ -= found->second.content.size();
        files_.erase(found);
        return out;
    }
    write(out.body, found->first, found->second);
    return out;
}

stored_reply file_store::make_batch(const request& r, std::int64_t now) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    std::string_view input, endpoint;
    if (parser.parse(simdjson::padded_string(r.body)).get(root) == simdjson::SUCCESS) {
        (void)root["input_file_id"].get(input);
        (void)root["endpoint"].get(endpoint);
    }
    const auto found = files_.find(input);
    if (found == files_.end()) return not_found(input);
    batch b{std::string(input), "", std::string(endpoint), "completed", now, 0};
    file results{"output.jsonl", "batch_output", "", now};
    std::string_view lines = found->second.content;
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        std::string_view custom;
        if (parser.parse(simdjson::padded_string(line)).get(root) != simdjson::SUCCESS) continue;
        (void)root["custom_id"].get(custom);
        put(results.content, R"({"id":"batch_req_)", ++b.lines, R"(","custom_id":)", quoted{custom},
            R"(,"response":{"status_code":200,"body":{}},"error":null})", "\n");
    }
    b.output = add(std::move(results));
    const std::string id = numbered("batch_", ++serial_);
    batches_[id] = std::move(b);
    if (batches_.size() > entries_max) batches_.erase(batches_.begin());
    return {200, id, ""};
}

stored_reply file_store::batches(const request& r, std::string_view rest, std::int64_t now) {
    const auto write = [](std::string& out, const std::string& id, const batch& b) {
        put(out, R"({"id":)", quoted{id}, R"(,"object":"batch","endpoint":)", quoted{b.endpoint},
            R"(,"input_file_id":)", quoted{b.input}, R"(,"output_file_id":)", quoted{b.output},
            R"(,"completion_window":"24h","status":)", quoted{b.status}, R"(,"created_at":)", b.created,
            R"(,"request_counts":{"total":)", b.lines, R"(,"completed":)", b.lines, R"(,"failed":0}})");
    };
    stored_reply out;
    std::string id(rest.substr(0, rest.find('/')));
    if (rest.empty()) {
        if (r.method != "POST") return list_of(batches_, write);
        auto made = make_batch(r, now);
        if (made.status != 200) return made;
        id = std::move(made.body);
    }
    const auto found = batches_.find(id);
    if (found == batches_.end()) return not_found(id);
    if (rest.ends_with("/cancel")) found->second.status = "cancelled";
    write(out.body, found->first, found->second);
    return out;
}

}  // namespace sluice::sim
