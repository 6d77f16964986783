#include "dialects/gemini/embeddings.hpp"

#include "dialects/gemini/fields.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::gemini {
namespace {

constexpr std::size_t inputs_max = 65'536;

error unreadable(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer holds no embeddings: " + excerpt(body)};
}

// The texts of a content's parts, one behind the other.
result<json> text_of_content(json content, text_arena& arena) {
    std::vector<part> texts;
    bool others = false;
    each_member(content, [&](std::string_view key, const json_value& parts) {
        if (key != "parts") return;
        each_element(parts.raw, [&](const json_value& p) {
            each_member(p.raw, [&](std::string_view k, const json_value& v) {
                if (k == "text" && v.type == json_type::string) {
                    texts.push_back({text_part{v.raw, {}, {}}});
                } else {
                    others = true;
                }
            });
        });
    });
    if (others || texts.empty()) return wrong_type("content.parts", "texts");
    return text_of(texts, arena);
}

result<void> read_one(json request, embedding_request& out) {
    json content;
    each_member(request, [&](std::string_view key, const json_value& v) {
        if (v.type == json_type::null) return;
        if (key == "content") {
            content = v.raw;
        } else if (is_field(key, "taskType")) {
            out.purpose = v.raw;
        } else if (key == "title") {
            out.title = v.raw;
        } else if (is_field(key, "outputDimensionality")) {
            out.dimensions = v.raw;
        } else if (key != "model") {
            const bool known =
                std::any_of(out.extras.begin(), out.extras.end(), [&](const extra_field& f) { return f.key == key; });
            if (!known) out.extras.push_back({key, v.raw});
        }
    });
    const auto text = text_of_content(content, out.arena);
    if (!text) return text.error();
    out.inputs.push_back(*text);
    return {};
}

}  // namespace

result<void> read_embed_request(const json_object& body, const client_call&, embedding_request& out) {
    out.dialect = dialect_name;
    const auto requests = body.find("requests");
    if (!requests) {
        out.single = true;
        return read_one(body.text().substr(body.text().find('{')), out);
    }
    if (requests->type != json_type::array) return wrong_type("requests", "an array");
    result<void> read;
    each_element(requests->raw, [&](const json_value& r) {
        if (!read) return;
        read = out.inputs.size() < inputs_max ? read_one(r.raw, out) : wrong_type("requests", "at most 65536 entries");
    });
    if (read && out.inputs.empty()) return wrong_type("requests", "a list that is not empty");
    return read;
}

std::string embed_path(const target_facts& t) {
    std::string path;
    append_model_path(path, {}, t.model);
    return path += ":batchEmbedContents";
}

result<void> write_embed_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out) {
    http::json_writer w(out);
    w.begin_object().key("requests").begin_array();
    for (const json input : r.inputs) {
        if (!is_string(input)) {
            return error{error_kind::bad_request, "Token numbers mean nothing to this model: `input` must be text.",
                         "input"};
        }
        const bool foldered = t.model.starts_with("models/") || t.model.starts_with("tunedModels/");
        w.begin_object().key("model").string((foldered ? "" : "models/") + std::string(t.model));
        w.key("content").begin_object().key("parts").begin_array();
        w.begin_object().key("text").raw(input).end_object().end_array().end_object();
        if (!r.purpose.empty()) w.key("taskType").raw(r.purpose);
        if (!r.title.empty()) w.key("title").raw(r.title);
        if (!r.dimensions.empty()) w.key("outputDimensionality").raw(r.dimensions);
        w.end_object();
    }
    w.end_array().end_object();
    if (!r.user.empty()) lost.hint("user");
    lost.hints(r.extras);
    return {};
}

result<void> read_embed_answer(std::string_view body, embedding_answer& out) {
    const auto o = json_object::parse(body);
    if (!o) return unreadable(body);
    const auto take = [&](json embedding) {
        each_member(embedding, [&](std::string_view key, const json_value& v) {
            if (key == "values" && v.type == json_type::array) out.vectors.push_back(v.raw);
        });
    };
    if (const auto one = o->find("embedding")) take(one->raw);
    if (const auto all = o->find("embeddings")) {
        each_element(all->raw, [&](const json_value& e) { take(e.raw); });
    }
    if (const auto usage = o->find("usageMetadata")) out.usage = read_usage(usage->raw);
    return out.vectors.empty() ? result<void>(unreadable(body)) : result<void>{};
}

void write_embed_answer(const embedding_answer& a, const embedding_request& asked, const client_call&,
                        std::string& out) {
    http::json_writer w(out);
    const auto write = [&](json vector) {
        w.begin_object().key("values");
        if (is_string(vector)) {
            w.raw("[]");
        } else {
            w.raw(vector.empty() ? json{"[]"} : vector);
        }
        w.end_object();
    };
    w.begin_object();
    if (asked.single) {
        w.key("embedding");
        write(a.vectors.front());
    } else {
        w.key("embeddings").begin_array();
        for (const json v : a.vectors) write(v);
        w.end_array();
    }
    w.end_object();
}

}  // namespace sluice::chat::gemini
