package io.daosmesh.console.trust;

import java.io.IOException;
import java.net.URL;
import java.net.URLConnection;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.url.AbstractURLStreamHandlerService;
import org.osgi.service.url.URLConstants;
import org.osgi.service.url.URLStreamHandlerService;

/**
 * A node opens no URL that leads to the network, for whatever command or bundle: the framework hands each of these schemes to
 * this component, which refuses. Any thread.
 */
@Component(
        immediate = true,
        service = {})
public final class UrlGuard {
    /** Schemes, separated by commas, that may be opened all the same. */
    static final String ALLOWED = "daosmesh.url.schemes";

    /** Those of Java that reach beyond this machine. */
    private static final List<String> SCHEMES = List.of("http", "https", "ftp", "mailto");

    private final List<ServiceRegistration<URLStreamHandlerService>> registrations = new ArrayList<>();

    @Activate
    public UrlGuard(BundleContext context) {
        List<String> allowed = List.of(System.getProperty(ALLOWED, "").strip().split("[,\\s]+"));
        for (String scheme : SCHEMES) {
            if (allowed.contains(scheme)) continue;
            Hashtable<String, Object> properties = new Hashtable<>();
            properties.put(URLConstants.URL_HANDLER_PROTOCOL, new String[] {scheme});
            registrations.add(context.registerService(URLStreamHandlerService.class, new Refusing(), properties));
        }
    }

    @Deactivate
    void close() {
        registrations.forEach(ServiceRegistration::unregister);
    }

    private static final class Refusing extends AbstractURLStreamHandlerService {
        @Override
        public URLConnection openConnection(URL url) throws IOException {
            throw new IOException("this node opens no " + url.getProtocol() + " URL: list the scheme in -D" + ALLOWED
                    + " to allow it");
        }
    }
}
