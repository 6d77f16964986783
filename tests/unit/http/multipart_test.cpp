#include "http/multipart.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::http;

namespace {

constexpr std::string_view type = "multipart/form-data; boundary=XyZ";

std::string field(const std::string& name, const std::string& value) {
    return "--XyZ\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}
const std::string last = "--XyZ--\r\n";
const std::string file =
    "--XyZ\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".mp3\"\r\n"
    "Content-Type: audio/mpeg\r\n\r\n\r\n--Xy\r\n\0binary\r\n";

bool refused(const std::string& body, std::string_view content_type = type) {
    const auto parts = parse_multipart(body, content_type);
    return !parts && parts.error().kind == error_kind::bad_request;
}

std::string boundary_of(std::string_view content_type) {
    const auto b = multipart_boundary(content_type);
    return b ? *b : "refused";
}

}  // namespace

TEST_CASE("parts of a form come with name, file name, type and exact value") {
    const std::string binary =
        "--XyZ\r\ncontent-disposition: form-data; filename=\"a \\\"b\\\" \\c.mp3\"; name=file\r\n"
        "Content-Type: audio/mpeg\r\nX-Other: 1\r\n\r\n" +
        std::string("\r\n--Xy\r\n\0\xff", 10) + "\r\n";
    const std::string body = field("model", "whisper-1") + binary + field("empty", "") + last;
    const auto parts = parse_multipart(body, type);
    REQUIRE(parts.has_value());
    REQUIRE(parts->size() == 3);
    CHECK((*parts)[0].name == "model");
    CHECK((*parts)[0].value == "whisper-1");
    CHECK_FALSE((*parts)[0].is_file);
    CHECK((*parts)[1].name == "file");
    CHECK((*parts)[1].filename == "a \"b\" \\c.mp3");
    CHECK((*parts)[1].is_file);
    CHECK((*parts)[1].content_type == "audio/mpeg");
    CHECK((*parts)[1].value == std::string_view("\r\n--Xy\r\n\0\xff", 10));
    CHECK((*parts)[2].value.empty());
    CHECK(parse_multipart("--XyZ--", type)->empty());
}

TEST_CASE("the boundary is read from the content type") {
    CHECK(boundary_of("Multipart/Form-Data; charset=utf-8; Boundary=\"a b'()+_,-./:=?c\"") == "a b'()+_,-./:=?c");
    CHECK(boundary_of("multipart/form-data;boundary=----WebKitFormBoundary7MA4") == "----WebKitFormBoundary7MA4");
    CHECK(boundary_of("multipart/form-data") == "refused");
    CHECK(boundary_of("multipart/form-data; boundary=") == "refused");
    CHECK(boundary_of("multipart/form-data; boundary=\"\"") == "refused");
    CHECK(boundary_of("multipart/form-data; boundary=\"a") == "refused");
    CHECK(boundary_of("multipart/form-data; boundary=\"a \"") == "refused");
    CHECK(boundary_of("multipart/form-data; boundary=a; boundary=b") == "refused");
    CHECK(boundary_of("multipart/form-data; boundary=" + std::string(71, 'a')) == "refused");
    CHECK(multipart_boundary("application/json").error().kind == error_kind::unsupported_media_type);
}

TEST_CASE("forms that two readers could read differently are refused") {
    const std::string good = field("model", "m") + last;
    REQUIRE_FALSE(refused(good));
    for (std::size_t n = 0; n < good.size() - 2; ++n) CHECK(refused(good.substr(0, n)));
    CHECK(refused("preamble\r\n" + good));
    CHECK(refused(good + "epilogue"));
    CHECK(refused("--XyZ\nContent-Disposition: form-data; name=\"a\"\n\nv\n--XyZ--\n"));
    CHECK(refused("--XyZ \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n" + last));
    CHECK(refused("--XyZ\r\n\r\nv\r\n" + last));
    CHECK(refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n--XyZ--\r\n"));
    CHECK(refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n--XyZ: b\r\n\r\nv\r\n" + last));
    CHECK(refused("--XyZ\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nv\r\n" + last));
    CHECK(refused("--XyZ\r\nContent-Disposition: form-data\r\n\r\nv\r\n" + last));
    CHECK(refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nv\r\n" + last));
    CHECK(refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\r\n\r\nv\r\n" + last));
    CHECK(
        refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; "
                "name=\"b\"\r\n\r\nv\r\n" +
                last));
    CHECK(refused(
        "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nv\r\n" +
        last));
    CHECK(refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n folded: x\r\n\r\nv\r\n" + last));
    CHECK(refused(field("a", "x\r\n--XyZother") + last));
}

TEST_CASE("parts and their heads are limited") {
    std::string body;
    for (int i = 0; i < 64; ++i) body += field("f" + std::to_string(i), "v");
    CHECK_FALSE(refused(body + last));
    CHECK(refused(body + field("one more", "v") + last));
    const auto with_head = [](std::size_t n) {
        return "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\nX: " + std::string(n, 'x') + "\r\n\r\nv\r\n" +
               last;
    };
    CHECK_FALSE(refused(with_head(8000)));
    CHECK(refused(with_head(9000)));
}

TEST_CASE("one field is read, if it is there once and is no file") {
    const std::string body = field("model", "whisper-1") + file + field("twice", "1") + field("twice", "2") + last;
    CHECK(multipart_field(body, type, "model").value() == "whisper-1");
    CHECK(multipart_field(body, type, "absent").error().param == "absent");
    CHECK(multipart_field(body, type, "twice").error().param == "twice");
    CHECK(multipart_field(body, type, "file").has_error());
}

TEST_CASE("replacing a field leaves every other byte as it was") {
    const std::string body = field("a", "1") + field("model", "old") + file + last;
    const auto pieces = replace_multipart_field(body, type, "model", "new-name");
    REQUIRE(pieces.has_value());
    std::string out;
    for (const std::string_view piece : *pieces) out += piece;
    CHECK(out == field("a", "1") + field("model", "new-name") + file + last);
    CHECK(multipart_field(out, type, "model").value() == "new-name");
    CHECK(replace_multipart_field(body, type, "model", "x\r\n--XyZ--").has_error());
    CHECK(replace_multipart_field(body, type, "absent", "x").has_error());
    const std::string empty = field("model", "") + last;
    CHECK((*replace_multipart_field(empty, type, "model", "x"))[0].size() == empty.size() - 2 - last.size());
}
