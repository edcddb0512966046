import ControllerCore
import WireProtocol

/// A product that is as unlike a container as can be: a folder at a web host somewhere. It lies on no node and gives no agent
/// anything to do; it takes two names, and speaks HTTP. It stands here to show that the core knows no product: this folder, and
/// one line where the catalogue is put together, are all there is of it.
enum Folders {
    static let product = Product(
        name: "folder", summary: "A folder at a web host, under a public and a hidden name.",
        specification: specification, verbs: verbs, drift: drift, isGone: isGone)
}
