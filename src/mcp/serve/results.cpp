#include "mcp/serve/results.hpp"

#include "http/json_writer.hpp"

#include <array>

namespace sluice::mcp {
namespace {

constexpr std::string_view info_key = "io.modelcontextprotocol/serverInfo";
constexpr std::array<std::string_view, 3> modern_members{"resultType", "ttlMs", "cacheScope"};

std::string meta_with_info(const json_object& result, const server_info& info) {
    const auto meta = result.find("_meta");
    if (!meta || meta->type != json_type::object) {
        std::string out;
        http::json_writer w(out);
        w.begin_object().key(info_key).raw(info.json()).end_object();
        return out;
    }
    const auto fields = json_object::inside(*meta);
    // A server behind us that named itself is told of: it made the result.
    if (!fields || fields->find(info_key)) return std::string(meta->raw);
    json_edits edits;
    edits.set(*fields, info_key, info.json());
    return edits.apply(meta->raw);
}

}  // namespace

std::string server_info::json() const {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("name").string(name);
    if (!title.empty()) w.key("title").string(title);
    w.key("version").string(version).end_object();
    return out;
}

std::string finished_result(std::string_view result, version speaks, const server_info& info, const cache_hint* hint) {
    const auto object = json_object::inside({json_type::object, result});
    if (!object) return std::string(result);
    json_edits edits;
    if (!modern(speaks)) {
        for (const std::string_view m : modern_members)
            if (object->find(m)) edits.remove(*object, m);
        return edits.empty() ? std::string(result) : edits.apply(result);
    }
    if (!object->find("resultType")) edits.set(*object, "resultType", R"("complete")");
    edits.set(*object, "_meta", meta_with_info(*object, info));
    if (hint != nullptr) {
        if (!object->find("ttlMs")) edits.set(*object, "ttlMs", std::to_string(hint->ttl.count()));
        if (!object->find("cacheScope"))
            edits.set(*object, "cacheScope", hint->shared ? R"("public")" : R"("private")");
    }
    return edits.apply(result);
}

}  // namespace sluice::mcp
