/// What tools print and files hold, cut as bytes are and not as people read: a line feed behind a carriage return is one
/// character with it, and a character with its marks may be of any length.
extension StringProtocol {
    /// The lines that are not empty, each up to its line feed.
    package var textLines: [Substring] {
        Substring(self).unicodeScalars.split(separator: "\n").map { Substring($0) }
    }

    /// The first scalars.
    package func beginning(_ limit: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(limit)))
    }

    /// The last scalars.
    package func ending(_ limit: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.suffix(limit)))
    }
}
