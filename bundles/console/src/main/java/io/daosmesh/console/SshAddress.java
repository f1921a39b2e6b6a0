package io.daosmesh.console;

import java.io.IOException;
import java.util.Hashtable;
import java.util.function.UnaryOperator;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives Karaf's ssh server its configuration, at each start anew from system properties. Not from a file: with an empty one the
 * server would listen on every interface, and a file is empty for a moment whenever it is rewritten in place. Without this
 * component there is no configuration and the server stays closed. See docs/decisions/0003.
 */
@Component(
        immediate = true,
        service = {})
public final class SshAddress {
    static final String PID = "org.apache.karaf.shell";
    static final String HOST = PID + ".sshHost";
    static final String PORT = PID + ".sshPort";

    private static final String LOOPBACK = "127.0.0.1";
    private static final String DEFAULT_PORT = "8101";
    private static final int PORT_MAX = 65_535;
    private static final int PORT_DIGITS_MAX = 5;
    private static final Logger log = LoggerFactory.getLogger(SshAddress.class);

    @Activate
    public SshAddress(@Reference ConfigurationAdmin admin) throws IOException {
        Configuration configuration = admin.getConfiguration(PID, "?");
        Hashtable<String, Object> settings = settings(name -> System.getProperty(name, ""));
        String port = String.valueOf(settings.get("sshPort"));
        if (!isPort(port)) {
            configuration.delete();
            log.error("{} must be a port from 1 to {}, not '{}': the console stays closed", PORT, PORT_MAX, port);
            return;
        }
        configuration.updateIfDifferent(settings);
        log.info("the console listens on {}:{}", settings.get("sshHost"), port);
    }

    /** What the server is told; a property that is missing or blank never widens where it listens. */
    static Hashtable<String, Object> settings(UnaryOperator<String> property) {
        String host = property.apply(HOST).strip();
        String port = property.apply(PORT).strip();
        Hashtable<String, Object> settings = new Hashtable<>();
        settings.put("sshHost", host.isEmpty() ? LOOPBACK : host);
        settings.put("sshPort", port.isEmpty() ? DEFAULT_PORT : port);
        settings.put("sshIdleTimeout", "1800000");
        settings.put("sshRealm", "karaf");
        settings.put("sshRole", "ssh");
        settings.put("sftpEnabled", "false"); // it would open the node's whole folder, keys included
        settings.put("hostKey", property.apply("karaf.etc") + "/host.key");
        settings.put("algorithm", "RSA");
        settings.put("keySize", "2048");
        settings.put("completionMode", "GLOBAL");
        settings.put("disableLogout", "false");
        settings.put("disableEofExit", "false");
        return settings;
    }

    static boolean isPort(String text) {
        if (text.isEmpty() || text.length() > PORT_DIGITS_MAX) return false;
        if (!text.chars().allMatch(c -> c >= '0' && c <= '9')) return false;
        int port = Integer.parseInt(text);
        return port >= 1 && port <= PORT_MAX;
    }
}
