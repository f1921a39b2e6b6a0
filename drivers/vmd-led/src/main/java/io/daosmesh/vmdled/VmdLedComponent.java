package io.daosmesh.vmdled;

import io.daosmesh.spi.LedDriver;
import java.util.Hashtable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Publishes the driver while the bundle is active, with the bundle's version as a service property. */
@Component(
        service = {},
        immediate = true)
public final class VmdLedComponent {
    private static final Logger log = LoggerFactory.getLogger(VmdLedComponent.class);

    private final ServiceRegistration<LedDriver> registration;

    @Activate
    public VmdLedComponent(BundleContext context) {
        VmdLedDriver driver = new VmdLedDriver(context.getBundle().getVersion().toString());
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("driver.name", driver.name());
        properties.put("driver.version", driver.version());
        registration = context.registerService(LedDriver.class, driver, properties);
        log.info("LED driver {} {}", driver.name(), driver.version());
    }

    @Deactivate
    void stop() {
        registration.unregister();
    }
}
