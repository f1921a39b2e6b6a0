package io.daosmesh.transport.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileAccessTest {
    @TempDir
    Path dir;

    private Path key;

    @BeforeEach
    void makeKey() throws IOException {
        key = Files.createFile(dir.resolve("server.key"));
        mode(key, "r--------");
    }

    private static void mode(Path file, String permissions) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    private static Fault refusal(Runnable check) {
        return assertThrows(FaultException.class, check::run).fault();
    }

    @ParameterizedTest
    @CsvSource({
        "SERVER, rw-r--r--, 0644, 0400",
        "SERVER, r--r-----, 0440, 0400",
        "SERVER, r-x------, 0500, 0400",
        "SERVER, r-----r--, 0404, 0400",
        "SERVER, rw--w----, 0620, 0400",
        "AGENT, r--r-----, 0440, 0400",
        "ADMIN, rw-r--r--, 0644, 0440",
        "ADMIN, r--rw----, 0460, 0440"
    })
    void shouldRefuseKeyWithAnyBitTooMany(Role role, String permissions, String is, String suggested)
            throws IOException {
        mode(key, permissions);

        Fault f = refusal(() -> FileAccess.requireKey(key, role));

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertEquals(key + " has insecure permissions " + is + " (suggested: " + suggested + ")", f.text());
        assertEquals("chmod " + suggested + " " + key, f.remedy());
    }

    @ParameterizedTest
    @CsvSource({"SERVER, r--------", "SERVER, rw-------", "AGENT, rw-------", "ADMIN, r--r-----", "ADMIN, rw-r-----"})
    void shouldTakeKeyOfItsOwnerAlone(Role role, String permissions) throws IOException {
        mode(key, permissions);

        FileAccess.requireKey(key, role);
    }

    @Test
    void shouldLookAtTheTargetOfALink() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("link.key"), key);
        FileAccess.requireKey(link, Role.SERVER);
        mode(key, "rw-r--r--");

        Fault f = refusal(() -> FileAccess.requireKey(link, Role.SERVER));

        assertTrue(f.text().startsWith(link + " has insecure permissions 0644"), f.text());
    }

    @Test
    void shouldRefuseKeyInFolderThatOthersMayWrite() throws IOException {
        Path open = Files.createDirectory(dir.resolve("open"));
        Path link = Files.createSymbolicLink(dir.resolve("link.key"), Files.createFile(open.resolve("server.key")));
        mode(open.resolve("server.key"), "r--------");
        mode(open, "rwxrwxr-x");

        Fault direct = refusal(() -> FileAccess.requireKey(open.resolve("server.key"), Role.SERVER));
        Fault linked = refusal(() -> FileAccess.requireKey(link, Role.SERVER));

        assertEquals(open + " has insecure permissions 0775 (suggested: 0750)", direct.text());
        assertEquals(direct.text(), linked.text());
    }

    @Test
    void shouldRefuseKeyOfAnotherUser() throws IOException {
        assumeTrue((Integer) Files.getAttribute(key, "unix:uid") == 0, "only root can give files away");
        Files.setAttribute(key, "unix:uid", 4711);

        Fault f = refusal(() -> FileAccess.requireKey(key, Role.SERVER));

        assertEquals(key + " belongs to user 4711, this process runs as user 0", f.text());
        assertEquals("chown 0 " + key, f.remedy());
    }

    @Test
    void shouldRefuseCertificateThatEverybodyMayWrite() throws IOException {
        Path certificate = Files.createFile(dir.resolve("daosCA.crt"));
        mode(certificate, "rw-rw-r--");
        FileAccess.requireCertificate(certificate);
        mode(certificate, "rw-rw-rw-");

        Fault f = refusal(() -> FileAccess.requireCertificate(certificate));

        assertEquals(certificate + " has insecure permissions 0666 (suggested: 0644)", f.text());
    }
}
