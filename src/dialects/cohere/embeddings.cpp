#include "dialects/cohere/embeddings.hpp"

#include "dialects/embed_purpose.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

namespace sluice::chat::cohere {

namespace {

error not_an_answer(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer is not one of Cohere's embed: " + excerpt(body)};
}

}  // namespace

result<void> write_embed_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out) {
    http::json_writer w(out);
    json input_type, truncate;
    for (const extra_field& f : r.extras) {
        if (f.key == "input_type" && is_string(f.value)) {
            input_type = f.value;
        } else if (f.key == "truncate" && is_string(f.value)) {
            truncate = f.value;
        } else {
            lost.hint(std::string(f.key));
        }
    }
    w.begin_object().key("model").string(t.model).key("texts").begin_array();
    for (const json input : r.inputs) {
        if (is_string(input)) {
            w.raw(input);
            continue;
        }
        auto refused = lost.feature("input", "token numbers");
        if (!refused) return refused;
    }
    w.end_array().key("input_type");
    if (input_type.empty()) {
        w.string(cohere_input_type(r.purpose));
    } else {
        w.raw(input_type);
    }
    w.key("embedding_types").begin_array().string(r.base64 ? "base64" : "float").end_array();
    if (!is_null(r.dimensions)) w.key("output_dimension").raw(r.dimensions);
    if (!truncate.empty()) w.key("truncate").raw(truncate);
    w.end_object();
    if (!is_null(r.title)) lost.hint("title");
    if (!is_null(r.user)) lost.hint("user");
    return {};
}

// {"id":"...","embeddings":{"float":[[...],...]},"texts":[...],"meta":{"billed_units":{"input_tokens":2}}}
result<void> read_embed_answer(std::string_view body, embedding_answer& out) {
    const auto parsed = json_object::parse(body);
    if (!parsed) return not_an_answer(body);
    bool fine = true;
    for (const json_member& m : parsed->members()) {
        if (m.key == "id") out.id = m.value.raw;
        if (m.key == "embeddings") {
            each_member(m.value.raw, [&](std::string_view kind, const json_value& list) {
                if (kind != "float" && kind != "base64") return;
                const json_type wanted = kind == "float" ? json_type::array : json_type::string;
                each_element(list.raw, [&](const json_value& v) {
                    fine = fine && v.type == wanted;
                    out.vectors.push_back(v.raw);
                });
            });
        }
        if (m.key != "meta") continue;
        each_member(m.value.raw, [&](std::string_view key, const json_value& units) {
            if (key != "billed_units") return;
            each_member(units.raw, [&](std::string_view name, const json_value& v) {
                if (name == "input_tokens") out.usage.input = v.integer().value_or(-1);
            });
        });
    }
    if (!fine || out.vectors.empty()) return not_an_answer(body);
    return {};
}

}  // namespace sluice::chat::cohere
