/// `zfs` and `zpool` that behave well but for the datasets that are named after what their tool does when it is to
/// change them.
enum Tools {
    static let zpool = """
        #!/bin/sh
        [ "$1" = list ] && printf 'tank\\t1073741824\\t1048576\\t1072693248\\t0\\tONLINE\\n'
        exit 0
        """

    /// - Parameter misdeeds: for each name, a piece of shell that does the deed.
    static func zfs(_ misdeeds: [(name: String, script: String)]) -> String {
        let cases = misdeeds.map { "*/\($0.name)) \($0.script) ;;" }.joined(separator: "\n")
        return """
            #!/bin/sh
            for last; do :; done
            case "$1" in
            list) printf 'tank/good\\n'; exit 0 ;;
            get)
                for property in $(echo "$6" | tr , ' '); do
                    [ $property = type ] && value=filesystem || value=0
                    printf '%s\\t%s\\t%s\\tlocal\\n' "$last" $property $value
                done
                exit 0 ;;
            set) ;;
            *) exit 0 ;;
            esac
            case "$last" in
            \(cases)
            esac
            exit 0
            """
    }
}
