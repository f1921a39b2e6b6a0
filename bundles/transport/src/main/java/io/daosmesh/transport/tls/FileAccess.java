package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Who else may read a key or change a certificate; refusals in DAOS's words. Stateless. Of a link its target counts.
 * DAOS refuses keys that their owner may write; here that is let pass, and a folder that others may list: neither gives a
 * key away.
 */
public final class FileAccess {
    private static final int KEY_MODE_MAX = 0600;
    private static final int ADMIN_KEY_MODE_MAX = 0640;
    private static final int CERTIFICATE_MODE_MAX = 0664;
    private static final int FOLDER_MODE_MAX = 0755;
    private static final int MODE_MASK = 0777;

    /** Others cannot replace what lies in such a folder, although they may write to it. */
    private static final int STICKY = 01000;

    private FileAccess() {}

    /** BAD_CERT when others than its owner (of an admin's: and its group) may read it, or another user owns it. */
    public static void requireKey(Path file, Role role) {
        boolean isAdmin = role == Role.ADMIN;
        requireMode(file, isAdmin ? ADMIN_KEY_MODE_MAX : KEY_MODE_MAX, isAdmin ? 0440 : 0400);
        requireOwner(file);
        requireFolder(file.toAbsolutePath());
        try {
            Path real = file.toRealPath();
            if (!real.equals(file)) requireFolder(real);
        } catch (IOException e) {
            throw unknown(file, e);
        }
    }

    /** BAD_CERT when everybody may write it. */
    static void requireCertificate(Path file) {
        requireMode(file, CERTIFICATE_MODE_MAX, 0644);
    }

    private static void requireFolder(Path absolute) {
        Path folder = absolute.getParent();
        if (folder == null) return;
        if ((number(folder, "unix:mode") & STICKY) == 0) requireMode(folder, FOLDER_MODE_MAX, 0750);
    }

    private static void requireMode(Path file, int most, int suggested) {
        int mode = number(file, "unix:mode") & MODE_MASK;
        if ((mode & ~most) == 0) return;
        throw Fault.of(
                        FaultCode.BAD_CERT,
                        "%s has insecure permissions 0%03o (suggested: 0%03o)",
                        file,
                        mode,
                        suggested)
                .remedy(String.format(Locale.ROOT, "chmod 0%03o %s", suggested, file))
                .asException();
    }

    private static void requireOwner(Path file) {
        int owner = number(file, "unix:uid");
        if (owner == 0) return;
        // a process's folder there belongs to its effective user
        int self = number(Path.of("/proc/self"), "unix:uid");
        if (owner == self) return;
        throw Fault.of(FaultCode.BAD_CERT, "%s belongs to user %d, this process runs as user %d", file, owner, self)
                .remedy(String.format(Locale.ROOT, "chown %d %s", self, file))
                .asException();
    }

    private static int number(Path file, String attribute) {
        try {
            Map<String, Object> found = Files.readAttributes(file, attribute);
            return (Integer) found.values().iterator().next();
        } catch (IOException e) {
            throw unknown(file, e);
        }
    }

    private static RuntimeException unknown(Path file, IOException e) {
        return Fault.of(FaultCode.NO_CERT, "permissions of %s cannot be seen: %s", file, String.valueOf(e.getMessage()))
                .remedy("check transport_config and the permissions of the folders above")
                .asException();
    }
}
