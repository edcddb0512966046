/// Text that shows as what it is: nothing in it steers a terminal, ends a line, hides, or turns the order of letters around,
/// by which one name can be made to look like another (U+202E and its kin).
package enum VisibleText {
    package static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        // By far the most, without a look at the tables.
        if scalar.value < 0x7F { return scalar.value >= 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        default: return true
        }
    }

    package static func isVisible(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isVisible) }
}
