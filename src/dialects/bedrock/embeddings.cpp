#include "dialects/bedrock/embeddings.hpp"

#include "dialects/bedrock/model_path.hpp"
#include "dialects/embed_purpose.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

namespace sluice::chat::bedrock {

namespace {

bool holds(std::string_view id, std::string_view part) {
    return id.find(part) != std::string_view::npos;
}

error not_an_answer(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer holds no vectors: " + excerpt(body)};
}

// Fields of the client's that a model takes under their own name.
json take_extra(const embedding_request& r, std::string_view name, json_type type) {
    for (const extra_field& f : r.extras) {
        if (f.key == name && type_of(f.value) == type) return f.value;
    }
    return {};
}

result<void> write_titan(const embedding_request& r, bool second, losses& lost, http::json_writer& w) {
    if (r.inputs.size() != 1) return error{error_kind::bad_request, "Titan embeds one text at a time.", "input"};
    w.begin_object().key("inputText").raw(r.inputs.front());
    const json normalize = take_extra(r, "normalize", json_type::boolean);
    if (second && !is_null(r.dimensions)) w.key("dimensions").raw(r.dimensions);
    if (!second && !is_null(r.dimensions)) lost.hint("dimensions");
    if (second && !normalize.empty()) w.key("normalize").raw(normalize);
    if (!is_null(r.purpose)) lost.hint("purpose");
    w.end_object();
    return {};
}

void write_cohere(const embedding_request& r, bool fourth, losses& lost, http::json_writer& w) {
    w.begin_object().key("texts").begin_array();
    for (const json input : r.inputs) w.raw(input);
    w.end_array().key("input_type");
    const json given = take_extra(r, "input_type", json_type::string);
    if (given.empty()) {
        w.string(cohere_input_type(r.purpose));
    } else {
        w.raw(given);
    }
    w.key("embedding_types").begin_array().string("float").end_array();
    if (fourth && !is_null(r.dimensions)) w.key("output_dimension").raw(r.dimensions);
    if (!fourth && !is_null(r.dimensions)) lost.hint("dimensions");
    const json truncate = take_extra(r, "truncate", json_type::string);
    if (!truncate.empty()) w.key("truncate").raw(truncate);
    w.end_object();
}

}  // namespace

std::string embed_path(const target_facts& t) {
    return "/model/" + path_segment(t.model) + "/invoke";
}

result<void> write_embed_request(const embedding_request& r, const target_facts& t, losses& lost, std::string& out) {
    for (const json input : r.inputs) {
        if (!is_string(input))
            return error{error_kind::bad_request, "Bedrock embeds texts, no token numbers.", "input"};
    }
    const bool titan = holds(t.model, "amazon.titan-embed-text");
    const bool cohere = holds(t.model, "cohere.embed");
    for (const extra_field& f : r.extras) {
        const bool taken = titan ? f.key == "normalize" : f.key == "input_type" || f.key == "truncate";
        if (!taken) lost.hint(std::string(f.key));
    }
    if (!is_null(r.title)) lost.hint("title");
    if (!is_null(r.user)) lost.hint("user");
    http::json_writer w(out);
    if (titan) return write_titan(r, holds(t.model, "text-v2"), lost, w);
    if (!cohere) {
        return error{error_kind::bad_request,
                     "Of Bedrock's models, Titan's text embeddings and Cohere's Embed can be asked for vectors.",
                     "model"};
    }
    write_cohere(r, holds(t.model, "embed-v4"), lost, w);
    return {};
}

// Titan: {"embedding":[...],"inputTextTokenCount":5}. Cohere: {"embeddings":[[...]]} or
// {"embeddings":{"float":[[...]]}}.
result<void> read_embed_answer(std::string_view body, embedding_answer& out) {
    const auto parsed = json_object::parse(body);
    if (!parsed) return not_an_answer(body);
    bool fine = true;
    const auto take = [&](const json_value& vector) {
        fine = fine && vector.type == json_type::array;
        out.vectors.push_back(vector.raw);
    };
    for (const json_member& m : parsed->members()) {
        if (m.key == "id") out.id = m.value.raw;
        if (m.key == "embedding") take(m.value);
        if (m.key == "inputTextTokenCount") out.usage.input = m.value.integer().value_or(-1);
        if (m.key != "embeddings") continue;
        each_element(m.value.raw, take);
        each_member(m.value.raw, [&](std::string_view kind, const json_value& list) {
            if (kind == "float") each_element(list.raw, take);
        });
    }
    if (!fine || out.vectors.empty()) return not_an_answer(body);
    return {};
}

}  // namespace sluice::chat::bedrock
