/// The version of this product, the same in every program of it.
package enum Version {
    package static let current = "0.1.0"
}
