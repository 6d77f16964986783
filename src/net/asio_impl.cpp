// Asio and Beast, compiled once: every other file sees their declarations only, which is what keeps a
// file that includes them cheap to compile.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
