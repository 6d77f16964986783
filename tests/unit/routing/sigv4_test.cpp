#include "routing/sigv4.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;

namespace {

using namespace std::chrono;
// 2015-08-30T12:36:00Z, the time of the published suite.
const system_clock::time_point suite_time = sys_days{year{2015} / 8 / 30} + hours(12) + minutes(36);

credential_config::sigv4_config suite_credential() {
    credential_config::sigv4_config c;
    c.region = "us-east-1";
    c.service = "service";
    c.access_key_id = "AKIDEXAMPLE";
    c.secret_access_key = secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    return c;
}

struct vector {
    const char* name;
    const char* method;
    const char* target;
    const char* content_type;
    const char* body;
    const char* signature;
};

// AWS Signature Version 4 test suite (awslabs/aws-c-auth): names and signatures as published.
const vector suite[] = {
    {"get-vanilla", "GET", "/", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", "", "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-empty-query-key", "GET", "/?Param1=value1", "", "",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-utf8-query", "GET", "/?\xE1\x88\xB4=bar", "", "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-query-order-encoded", "GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-utf8", "GET", "/\xE1\x88\xB4", "", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", "",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-slash", "GET", "//", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash", "GET", "/./", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot", "GET", "/./example", "", "",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slashes", "GET", "//example//", "", "", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-relative", "GET", "/example/..", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative", "GET", "/example1/example2/../..", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-space", "GET", "/example space/", "", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"post-vanilla", "POST", "/", "", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded", "POST", "/", "application/x-www-form-urlencoded", "Param1=value1",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/", "application/x-www-form-urlencoded; charset=utf8",
     "Param1=value1", "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
};

std::string value_of(const header_list& headers, std::string_view name) {
    return std::string(headers.find(name).value_or(""));
}

}  // namespace

TEST_CASE("requests are signed as the published suite signs them") {
    for (const vector& v : suite) {
        CAPTURE(v.name);
        header_list headers;
        const std::string_view type = v.content_type;
        if (!type.empty()) headers.add("Content-Type", type);
        sign_sigv4(suite_credential(), v.method, "example.amazonaws.com", v.target, {v.body}, suite_time, headers,
                   false);
        CHECK(value_of(headers, "x-amz-date") == "20150830T123600Z");
        CHECK(value_of(headers, "authorization") ==
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
                  std::string(type.empty() ? "" : "content-type;") + "host;x-amz-date, Signature=" + v.signature);
    }
}

TEST_CASE("the token of temporary credentials is signed with the rest") {
    auto c = suite_credential();
    c.session_token = secret("a-token");
    header_list headers;
    sign_sigv4(c, "GET", "example.amazonaws.com", "/", {}, suite_time, headers);
    CHECK(value_of(headers, "x-amz-security-token") == "a-token");
    CHECK(value_of(headers, "authorization")
              .find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,") != std::string::npos);
}

TEST_CASE("the pieces of a body are signed as one text, and a claim of the client about it is replaced") {
    const auto signed_with = [](const std::vector<std::string_view>& body) {
        header_list headers;
        headers.add("x-amz-content-sha256", "a lie");
        headers.add("X-Amz-Date", "20010101T000000Z");
        sign_sigv4(suite_credential(), "POST", "h", "/", body, suite_time, headers);
        CHECK(headers.count("x-amz-date") == 1);
        CHECK(headers.count("x-amz-content-sha256") == 1);
        return value_of(headers, "x-amz-content-sha256") + value_of(headers, "authorization");
    };
    CHECK(signed_with({"ab", "c"}) == signed_with({"abc"}));
    CHECK(signed_with({"ab"}) != signed_with({"abc"}));
    // FIPS 180-2, appendix B.1.
    CHECK(signed_with({"abc"}).substr(0, 64) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("an escaped path is signed escaped once more, but not by S3") {
    const auto signature = [](const char* service, const char* path) {
        auto c = suite_credential();
        c.service = service;
        header_list headers;
        sign_sigv4(c, "GET", "h", path, {}, suite_time, headers);
        const std::string all = value_of(headers, "authorization");
        return all.substr(all.rfind('='));
    };
    CHECK(signature("bedrock", "/model/a%3Ab/invoke") != signature("bedrock", "/model/a:b/invoke"));
    CHECK(signature("s3", "/a//b") != signature("s3", "/a/b"));
    CHECK(signature("bedrock", "/a//b") == signature("bedrock", "/a/b"));
}
