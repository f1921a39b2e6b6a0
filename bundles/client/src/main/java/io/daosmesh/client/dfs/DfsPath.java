package io.daosmesh.client.dfs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.List;

/**
 * A path from the root of the file system, as names, which are bytes, see {@link NameBytes}; {@code .} and {@code ..} are
 * resolved by spelling. Immutable.
 */
public record DfsPath(List<String> names) {
    public static final int NAME_BYTES_MAX = 255;
    public static final int DEPTH_MAX = 256;

    public static final DfsPath ROOT = new DfsPath(List.of());

    public DfsPath {
        names = List.copyOf(names);
        if (names.size() > DEPTH_MAX) throw bad(String.join("/", names), "is deeper than " + DEPTH_MAX);
        names.forEach(DfsPath::checkName);
    }

    /** BADPATH when a name cannot be one. A missing slash in front does not matter. */
    public static DfsPath parse(String text) {
        return ROOT.resolve(text);
    }

    /** Absolute when {@code text} begins with a slash. */
    public DfsPath resolve(String text) {
        List<String> all = new ArrayList<>(text.startsWith("/") ? List.of() : names);
        for (String name : text.split("/")) {
            switch (name) {
                case "", "." -> {}
                case ".." -> {
                    if (!all.isEmpty()) all.remove(all.size() - 1);
                }
                default -> all.add(name);
            }
        }
        return new DfsPath(all);
    }

    public DfsPath child(String name) {
        List<String> all = new ArrayList<>(names);
        all.add(name);
        return new DfsPath(all);
    }

    public boolean isRoot() {
        return names.isEmpty();
    }

    /** The root's is the root. */
    public DfsPath parent() {
        return isRoot() ? this : new DfsPath(names.subList(0, names.size() - 1));
    }

    /** Empty for the root. */
    public String name() {
        return isRoot() ? "" : names.get(names.size() - 1);
    }

    private static void checkName(String name) {
        String why = whyNoName(name);
        if (!why.isEmpty()) throw bad(name, why);
    }

    /** Empty for what may be a name. */
    static String whyNoName(String name) {
        if (name.isEmpty() || name.equals(".") || name.equals("..")) return "is no name";
        if (name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) return "holds a slash or a zero byte";
        // as bytes it would be some other name
        if (!NameBytes.isOne(name)) return "is no text";
        boolean isLong = NameBytes.of(name).length > NAME_BYTES_MAX;
        return isLong ? "is longer than " + NAME_BYTES_MAX + " bytes" : "";
    }

    private static RuntimeException bad(String name, String why) {
        return Fault.of(FaultCode.BADPATH, "'%s' %s", name, why).asException();
    }

    @Override
    public String toString() {
        return "/" + String.join("/", names);
    }
}
