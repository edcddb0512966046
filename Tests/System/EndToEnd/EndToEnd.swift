import SiteSupport
import Testing

/// The whole product as its users run it: both daemons and the command line as processes, a real Docker engine, a real
/// ZFS pool. One site serves all tests, one after the other; each works with services of its own.
@Suite(.serialized, .site, .timeLimit(.minutes(20)))
struct EndToEnd {}
