package io.daosmesh.pmem;

import io.daosmesh.spi.ScmDriver;
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
public final class PmemComponent {
    private static final Logger log = LoggerFactory.getLogger(PmemComponent.class);

    private final PmemDriver driver;
    private final ServiceRegistration<ScmDriver> registration;

    @Activate
    public PmemComponent(BundleContext context) {
        driver = new PmemDriver(context.getBundle().getVersion().toString());
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("driver.name", driver.name());
        properties.put("driver.version", driver.version());
        properties.put("device.classes", driver.scmClasses().toArray(new String[0]));
        registration = context.registerService(ScmDriver.class, driver, properties);
        log.info("SCM driver {} {} serves {}", driver.name(), driver.version(), driver.scmClasses());
    }

    @Deactivate
    void stop() {
        registration.unregister();
        driver.close();
    }
}
