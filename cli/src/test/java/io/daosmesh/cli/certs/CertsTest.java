package io.daosmesh.cli.certs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Pem;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CertsTest {
    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int certs(String line) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        String[] words = line.replace("@", dir + "/").split(" ");
        return Certs.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
    }

    private void ok(String line) {
        assertEquals(0, certs(line), err::toString);
    }

    @Test
    void shouldLeadANodesCertificateThroughItsLife() {
        ok("ca --ca-dir @ca");
        ok("issue server --address node1,10.0.0.1 --ca-dir @ca --dir @node1");
        ok("issue admin --ca-dir @ca --dir @admin --days 10");
        ok("renew --ca-dir @ca --dir @node1");
        PeerCertificate server = PeerCertificate.of(
                Pem.certificates(dir.resolve("node1/server.crt")).get(0));
        assertEquals(Set.of("node1", "10.0.0.1"), server.addresses());
        ok("check --dir @node1");
        assertEquals("server: OK", out.toString().trim());
        assertEquals(1, certs("check --dir @admin"));
        assertTrue(out.toString().contains("admin: own ends on"), out.toString());

        ok("revoke --ca-dir @ca --serial " + PeerCertificate.text(server.serial()));
        ok("list --ca-dir @ca");

        assertEquals(3, out.toString().lines().count());
        assertTrue(
                out.toString().lines().anyMatch(l -> l.contains("for 10.0.0.1,node1") && l.endsWith("REVOKED")),
                out.toString());
        assertEquals(1, certs("check --dir @node1 --crl @ca/daosCA.crl"));
        assertTrue(out.toString().contains("server.crt is revoked"), out.toString());
        ok("revoke --ca-dir @ca");
        assertEquals(1, certs("check --dir @node1 --crl @ca/daosCA.crl"));
        ok("show --dir @node1");
        assertTrue(out.toString().contains("no key here"), out.toString());
    }

    @Test
    void shouldMakeAllForOneMachine() {
        ok("generate --dir @certs --address node9");
        ok("check --dir @certs");

        assertEquals(3, out.toString().lines().filter(l -> l.endsWith("OK")).count());
        PeerCertificate server = PeerCertificate.of(
                Pem.certificates(dir.resolve("certs/server.crt")).get(0));
        assertEquals(Set.of("127.0.0.1", "::1", "localhost", "node9"), server.addresses());
        assertTrue(Files.exists(dir.resolve("certs/daosCA.key")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            issue server --ca-dir @ca --dir @n | wants 1 to 64 addresses
            issue server --address a:1 --ca-dir @ca --dir @n | neither a host name nor an IP address
            issue admin --address a --ca-dir @ca --dir @n | --address is for servers only
            issue root --ca-dir @ca --dir @n | 'root' is no role
            issue agent --ca-dir @ca --dir @ca | is the authority's own folder
            issue agent --ca-dir @none --dir @n | does not exist
            issue agent --ca-dir @ca --dir @n --days 0 | 0 is no number of days
            renew --ca-dir @ca --dir @none | holds no certificate
            revoke --ca-dir @ca --serial 4711 | has issued no certificate 4711
            ca --ca-dir @ca | is there already
            check | Missing required option
            """)
    void shouldRefuseWithOneClearLine(String line, String why) {
        ok("ca --ca-dir @ca");

        assertEquals(1, certs(line));

        assertTrue(err.toString().contains(why), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().startsWith("ERROR: daos-certs: "), err.toString());
    }
}
