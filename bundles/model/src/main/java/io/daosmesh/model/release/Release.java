package io.daosmesh.model.release;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Number of a release, {@code major.minor.patch}; what follows it in the text names a build and decides nothing. Odd minors are
 * versions under development. Immutable.
 *
 * @param text as it is shown, e.g. {@code 0.1.0-SNAPSHOT}
 */
public record Release(int major, int minor, int patch, String text) {
    private static final Pattern TEXT =
            Pattern.compile("([0-9]{1,4})\\.([0-9]{1,4})\\.([0-9]{1,4})(?:[-+~.][0-9A-Za-z.+~-]{1,40})?");
    private static final Release OWN = read("release.txt");

    /** Of the code that runs; the build has written it beside this class. */
    public static Release own() {
        return OWN;
    }

    /** Empty for what is no release's number. */
    public static Optional<Release> of(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) return Optional.empty();
        return Optional.of(new Release(
                Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)), Integer.parseInt(m.group(3)), text));
    }

    boolean isSameMinor(Release other) {
        return major == other.major && minor == other.minor;
    }

    boolean isSame(Release other) {
        return isSameMinor(other) && patch == other.patch;
    }

    private static Release read(String name) {
        try (InputStream in = Release.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException("the jar of the model lacks " + name);
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
            return of(text).orElseThrow(() -> new IllegalStateException(name + " says '" + text + "'"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
