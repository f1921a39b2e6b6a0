package io.daosmesh.licences;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A jar of others that is delivered. Immutable.
 *
 * @param where how it is delivered: a file of its own, or inside which of ours
 */
record Component(String group, String artifact, String version, String where) implements Comparable<Component> {
    /** GROUP/AS/FOLDERS/ARTIFACT/VERSION/ARTIFACT-VERSION.jar, as below a Maven repository. */
    private static final Pattern LAYOUT = Pattern.compile("(?:.*/)?([^/]+)/([^/]+)/\\1-\\2[^/]*\\.jar");

    String key() {
        return group + ":" + artifact;
    }

    /** Empty for a file that lies elsewhere. @param repository the folder that groups begin in */
    static Optional<Component> of(Path repository, Path jar, String where) {
        if (!jar.startsWith(repository)) return Optional.empty();
        String path = repository.relativize(jar).toString().replace('\\', '/');
        Matcher m = LAYOUT.matcher(path);
        if (!m.matches()) return Optional.empty();
        String tail = m.group(1) + "/" + m.group(2) + "/";
        String group = path.substring(0, path.lastIndexOf(tail)).replaceFirst("/$", "");
        return Optional.of(new Component(group.replace('/', '.'), m.group(1), m.group(2), where));
    }

    /** {@code GROUP:ARTIFACT:VERSION}. */
    static Component of(String coordinates, String where) {
        String[] parts = coordinates.split(":");
        if (parts.length != 3) throw new IllegalArgumentException(coordinates + " is not GROUP:ARTIFACT:VERSION");
        return new Component(parts[0], parts[1], parts[2], where);
    }

    @Override
    public int compareTo(Component other) {
        int byKey = key().compareTo(other.key());
        if (byKey != 0) return byKey;
        int byVersion = version.compareTo(other.version);
        return byVersion != 0 ? byVersion : where.compareTo(other.where);
    }
}
