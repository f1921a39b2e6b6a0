package io.daosmesh.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SshAddressTest {
    private static Map<String, Object> settings(Map<String, String> properties) {
        return SshAddress.settings(name -> properties.getOrDefault(name, ""));
    }

    @Test
    void shouldListenOnLoopbackWhenNothingIsSet() {
        Map<String, Object> settings = settings(Map.of());

        assertEquals("127.0.0.1", settings.get("sshHost"));
        assertEquals("8101", settings.get("sshPort"));
    }

    @Test
    void shouldListenOnLoopbackWhenTheHostIsBlank() {
        assertEquals("127.0.0.1", settings(Map.of(SshAddress.HOST, " ")).get("sshHost"));
    }

    @Test
    void shouldTakeAddressAndFoldersFromTheBoot() {
        Map<String, Object> settings =
                settings(Map.of(SshAddress.HOST, "10.1.2.3", SshAddress.PORT, "9001", "karaf.base", "/node"));

        assertEquals("10.1.2.3", settings.get("sshHost"));
        assertEquals("9001", settings.get("sshPort"));
        assertEquals("/node/host.key", settings.get("hostKey"));
        assertEquals("/node/host.key.pub", settings.get("hostKeyPub"));
    }

    @Test
    void shouldAskForTheRoleAndServeNoFiles() {
        Map<String, Object> settings = settings(Map.of());

        assertEquals("ssh", settings.get("sshRole"));
        assertEquals("false", settings.get("sftpEnabled"));
    }

    @Test
    void shouldBringBackWhatIsMissingAndKeepTheRest() {
        Dictionary<String, Object> properties = new Hashtable<>(Map.of("sshHost", " ", "sshPort", "9001"));

        boolean isChanged = SshAddress.complete(properties, settings(Map.of()));

        assertTrue(isChanged);
        assertEquals("127.0.0.1", properties.get("sshHost"));
        assertEquals("9001", properties.get("sshPort"));
        assertEquals("ssh", properties.get("sshRole"));
    }

    @Test
    void shouldLeaveAWholeConfigurationAlone() {
        assertFalse(SshAddress.complete(new Hashtable<>(settings(Map.of())), settings(Map.of())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "65536", "-1", "x", "99999999999", "8101 "})
    void shouldRefuseWhatIsNoPort(String text) {
        assertFalse(SshAddress.isPort(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "8101", "65535"})
    void shouldTakePorts(String text) {
        assertTrue(SshAddress.isPort(text));
    }
}
