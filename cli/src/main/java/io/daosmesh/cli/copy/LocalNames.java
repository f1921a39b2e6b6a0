package io.daosmesh.cli.copy;

import io.daosmesh.client.dfs.NameBytes;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Names of this machine as bytes, whatever the locale says about them: Java tells and takes the bytes of a path as URI. As text
 * they are {@link NameBytes}. Pure.
 */
final class LocalNames {
    private static final Path ROOT = Path.of("/");

    private LocalNames() {}

    static String text(Path path) {
        if (isText(path)) return path.toString();
        String coded = ROOT.resolve(path).toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = path.isAbsolute() ? 0 : 1; i < coded.length(); i++) {
            boolean isCoded = coded.charAt(i) == '%';
            bytes.write(isCoded ? Integer.parseInt(coded, i + 1, i + 3, 16) : coded.charAt(i));
            if (isCoded) i += 2;
        }
        String text = NameBytes.text(bytes.toByteArray());
        // Java marks what is a directory
        return text.length() > 1 && text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    }

    /** BADPATH for what no file can be called. */
    static Path path(String text) {
        try {
            Path path = Path.of(text);
            if (isText(path)) return path;
        } catch (InvalidPathException e) {
            // not in this locale, or no text at all
        }
        try {
            StringBuilder coded = new StringBuilder(text.startsWith("/") ? "file://" : "file:///");
            for (byte b : NameBytes.of(text)) {
                if (b == '/') coded.append('/');
                else coded.append(String.format(Locale.ROOT, "%%%02X", b & 0xff));
            }
            Path path = Path.of(URI.create(coded.toString()));
            return text.startsWith("/") ? path : path.subpath(0, path.getNameCount());
        } catch (IllegalArgumentException e) {
            throw Fault.of(FaultCode.BADPATH, "'%s' cannot be a name on this machine", text)
                    .asException();
        }
    }

    /** Its bytes are the ones of its text. */
    private static boolean isText(Path path) {
        try {
            return NameBytes.isText(path.toString()) && Path.of(path.toString()).equals(path);
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
