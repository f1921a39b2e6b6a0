package io.daosmesh.console;

import java.io.IOException;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.service.cm.ConfigurationPlugin;
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
@Component(immediate = true, property = ConfigurationPlugin.CM_TARGET + "=" + SshAddress.PID)
public final class SshAddress implements ConfigurationPlugin, ConfigurationListener {
    static final String PID = "org.apache.karaf.shell";
    static final String HOST = PID + ".sshHost";
    static final String PORT = PID + ".sshPort";

    private static final String LOOPBACK = "127.0.0.1";
    private static final String DEFAULT_PORT = "8101";
    private static final int PORT_MAX = 65_535;
    private static final int PORT_DIGITS_MAX = 5;
    private static final Logger log = LoggerFactory.getLogger(SshAddress.class);

    private final ConfigurationAdmin admin;
    private final Map<String, Object> settings;

    @Activate
    public SshAddress(@Reference ConfigurationAdmin admin) throws IOException {
        this.admin = admin;
        Map<String, Object> asked = settings(name -> System.getProperty(name, ""));
        String port = String.valueOf(asked.get("sshPort"));
        if (isPort(port)) {
            settings = asked;
            configuration().updateIfDifferent(new Hashtable<>(settings));
            log.info("the console is to listen on {}:{}", settings.get("sshHost"), port);
        } else {
            settings = Map.of();
            configuration().delete();
            log.error("{} must be a port from 1 to {}, not '{}': the console stays closed", PORT, PORT_MAX, port);
        }
    }

    private Configuration configuration() throws IOException {
        return admin.getConfiguration(PID, "?");
    }

    /** On the way to the server: what somebody took out at run time comes back, before a default of Karaf's can take its place. */
    @Override
    public void modifyConfiguration(ServiceReference<?> reference, Dictionary<String, Object> properties) {
        complete(properties, settings);
    }

    /** The same for what is kept: Karaf reads it at its next start before this bundle is there. */
    @Override
    public void configurationEvent(ConfigurationEvent event) {
        if (event.getType() != ConfigurationEvent.CM_UPDATED || !event.getPid().equals(PID)) return;
        try {
            Configuration configuration = configuration();
            Dictionary<String, Object> properties = configuration.getProperties();
            if (properties != null && complete(properties, settings)) configuration.update(properties);
        } catch (IOException | IllegalStateException e) { // its file cannot be written, or it has been deleted since
            log.warn("the console's configuration could not be completed: {}", e.toString());
        }
    }

    /** Adds what is missing or blank; true when there was such a setting. */
    static boolean complete(Dictionary<String, Object> properties, Map<String, Object> settings) {
        boolean isChanged = false;
        for (Map.Entry<String, Object> setting : settings.entrySet()) {
            Object value = properties.get(setting.getKey());
            if (value != null && !value.toString().isBlank()) continue;
            properties.put(setting.getKey(), setting.getValue());
            isChanged = true;
        }
        return isChanged;
    }

    /** What the server is told; a property that is missing or blank never widens where it listens. */
    static Map<String, Object> settings(UnaryOperator<String> property) {
        String host = property.apply(HOST).strip();
        String port = property.apply(PORT).strip();
        Map<String, Object> settings = new HashMap<>();
        settings.put("sshHost", host.isEmpty() ? LOOPBACK : host);
        settings.put("sshPort", port.isEmpty() ? DEFAULT_PORT : port);
        settings.put("sshIdleTimeout", "1800000");
        settings.put("sshRealm", "karaf");
        settings.put("sshRole", "ssh");
        settings.put("sftpEnabled", "false"); // it would open the node's whole folder, keys included
        // made at the first start: not in etc, which a node need not be able to write
        settings.put("hostKey", property.apply("karaf.base") + "/host.key");
        settings.put("hostKeyPub", property.apply("karaf.base") + "/host.key.pub");
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
