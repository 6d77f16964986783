#include "dialects/openai/embeddings.hpp"

#include "base/base64.hpp"
#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

namespace sluice::chat::openai {
namespace {

constexpr std::size_t inputs_max = 65'536;

error unreadable(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer holds no embeddings: " + excerpt(body)};
}

bool all_numbers(const json_value& array) {
    bool good = array.type == json_type::array;
    each_element(array.raw, [&](const json_value& e) { good &= e.type == json_type::number; });
    return good;
}

// Base64 of whole 32-bit floats.
bool holds_floats(json_chars chars) {
    const std::string unescaped = chars.find('\\') == chars.npos ? std::string{} : http::unescape_json(chars);
    const std::string_view base64 = unescaped.empty() ? chars : unescaped;
    const auto padding = base64.size() - std::min(base64.find_last_not_of('=') + 1, base64.size());
    const auto digits = base64.substr(0, base64.size() - padding);
    const bool good = std::all_of(digits.begin(), digits.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    });
    return good && padding <= 2 && base64.size() % 4 == 0 && (base64.size() / 4 * 3 - padding) % sizeof(float) == 0;
}

result<void> read_input(const json_value& v, embedding_request& out) {
    if (v.type == json_type::string) {
        out.single = true;
        out.inputs.push_back(v.raw);
        return {};
    }
    if (v.type != json_type::array) return wrong_type("input", "a string or an array");
    bool numbers = false, texts = false, good = true;
    each_element(v.raw, [&](const json_value& e) {
        numbers |= e.type == json_type::number;
        texts |= e.type == json_type::string || e.type == json_type::array;
        good &= e.type == json_type::string || e.type == json_type::number || all_numbers(e);
        if (out.inputs.size() <= inputs_max) out.inputs.push_back(e.raw);
    });
    if (!good || (numbers && texts)) return wrong_type("input", "a string, or an array of strings or of token numbers");
    if (!numbers && out.inputs.size() > inputs_max) {
        return error{error_kind::bad_request, "`input` has more than 65536 entries.", "input"};
    }
    if (!numbers) return {};
    // A list of token numbers is one input.
    out.single = true;
    out.inputs.assign(1, v.raw);
    return {};
}

}  // namespace

result<void> read_embedding_request(const json_object& body, const client_call&, embedding_request& out) {
    out.dialect = chat_name;
    for (const json_member& m : body.members()) {
        const json_value& v = m.value;
        if (v.type == json_type::null) continue;
        if (m.key == "input") {
            if (auto read = read_input(v, out); !read) return read;
        } else if (m.key == "model") {
            if (v.type != json_type::string) return wrong_type("model", "a string");
            out.model = v.raw;
        } else if (m.key == "dimensions") {
            if (v.type != json_type::number) return wrong_type("dimensions", "a number");
            out.dimensions = v.raw;
        } else if (m.key == "encoding_format") {
            if (!says(v.raw, "float") && !says(v.raw, "base64"))
                return wrong_type("encoding_format", "float or base64");
            out.base64 = says(v.raw, "base64");
        } else if (m.key == "user") {
            if (v.type != json_type::string) return wrong_type("user", "a string");
            out.user = v.raw;
        } else {
            out.extras.push_back({m.key, v.raw});
        }
    }
    if (out.inputs.empty()) return error{error_kind::bad_request, "The request has no `input`.", "input"};
    return {};
}

result<void> write_embedding_request(const embedding_request& r, const target_facts& t, losses& lost,
                                     std::string& out) {
    http::json_writer w(out);
    w.begin_object().key("model").string(t.model).key("input");
    if (r.single) {
        w.raw(r.inputs.front());
    } else {
        w.begin_array();
        for (const json input : r.inputs) w.raw(input);
        w.end_array();
    }
    if (!r.dimensions.empty()) w.key("dimensions").raw(r.dimensions);
    if (r.base64) w.key("encoding_format").string("base64");
    if (!r.user.empty()) w.key("user").raw(r.user);
    if (!r.purpose.empty()) lost.hint("taskType");
    if (!r.title.empty()) lost.hint("title");
    if (r.dialect == chat_name) {
        for (const extra_field& f : r.extras) w.key(f.key).raw(f.value);
    } else {
        lost.hints(r.extras);
    }
    w.end_object();
    return {};
}

result<void> read_embedding_answer(std::string_view body, embedding_answer& out) {
    const auto o = json_object::parse(body);
    if (!o) return unreadable(body);
    const auto data = o->find("data");
    if (!data || data->type != json_type::array) return unreadable(body);
    if (const auto model = o->find("model"); model && model->type == json_type::string) out.model = model->raw;
    if (const auto usage = o->find("usage")) out.usage = read_chat_usage(usage->raw);
    bool good = true;
    each_element(data->raw, [&](const json_value& entry) {
        json vector;
        std::size_t index = out.vectors.size();
        each_member(entry.raw, [&](std::string_view key, const json_value& v) {
            if (key == "embedding") vector = v.raw;
            if (key == "index") index = static_cast<std::size_t>(v.integer().value_or(-1));
        });
        const bool usable = is_string(vector) ? holds_floats(chars_of(vector)) : type_of(vector) == json_type::array;
        good &= usable && index < inputs_max;
        if (!good) return;
        if (out.vectors.size() <= index) out.vectors.resize(index + 1);
        out.vectors[index] = vector;
    });
    // One for each input: a gap is an input without an answer.
    good &= std::none_of(out.vectors.begin(), out.vectors.end(), [](json v) { return v.empty(); });
    return good && !out.vectors.empty() ? result<void>{} : unreadable(body);
}

void write_embedding_answer(const embedding_answer& a, const embedding_request& asked, const client_call& call,
                            std::string& out) {
    http::json_writer w(out);
    w.begin_object().key("object").string("list").key("data").begin_array();
    for (std::size_t i = 0; i < a.vectors.size(); ++i) {
        const json vector = a.vectors[i];
        w.begin_object().key("object").string("embedding").key("index").integer(static_cast<std::int64_t>(i));
        w.key("embedding");
        if (asked.base64 && !is_string(vector)) {
            w.string(base64_of_floats(vector));
        } else if (!asked.base64 && is_string(vector)) {
            w.raw(floats_of_base64(chars_of(vector)));
        } else {
            w.raw(vector.empty() ? json{"[]"} : vector);
        }
        w.end_object();
    }
    w.end_array().key("model");
    if (a.model.empty()) {
        w.string(call.model);
    } else {
        w.raw(a.model);
    }
    const std::int64_t tokens = std::max<std::int64_t>(a.usage.input, 0);
    w.key("usage").begin_object().key("prompt_tokens").integer(tokens).key("total_tokens").integer(tokens);
    w.end_object().end_object();
}

std::string base64_of_floats(json numbers) {
    static_assert(std::endian::native == std::endian::little);
    std::string bytes;
    each_element(numbers, [&](const json_value& v) {
        constexpr double largest = std::numeric_limits<float>::max();
        const auto f = static_cast<float>(std::clamp(v.number().value_or(0), -largest, largest));
        char four[sizeof f];
        std::memcpy(four, &f, sizeof f);
        bytes.append(four, sizeof f);
    });
    return base64_encode(bytes);
}

std::string floats_of_base64(std::string_view base64) {
    std::string plain = http::unescape_json(base64);
    std::vector<unsigned char> bytes(plain.size() / 4 * 3 + 3);
    const int n = plain.size() % 4 == 0
                      ? EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(plain.data()),
                                        static_cast<int>(plain.size()))
                      : -1;
    std::string out = "[";
    // The padding decodes to zero bytes, which are fewer than a float has.
    for (int i = 0; i + 4 <= n; i += 4) {
        float f = 0;
        std::memcpy(&f, bytes.data() + i, sizeof f);
        char text[32];
        const auto end = std::to_chars(text, text + sizeof text, f).ptr;
        if (i > 0) out += ',';
        if (f - f == 0) {
            out.append(text, end);
        } else {
            out += '0';  // JSON has no infinity
        }
    }
    return out += ']';
}

}  // namespace sluice::chat::openai
