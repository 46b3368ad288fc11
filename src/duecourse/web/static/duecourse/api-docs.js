// Draws the API's documentation from its OpenAPI document, and lets it be tried with the session of the person looking.

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const place = document.getElementById("api-docs");

if (place && window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: false,
    validatorUrl: null,
    withCredentials: true,
    requestInterceptor: (request) => {
      if (new URL(request.url, location.href).origin === location.origin) {
        request.headers["X-CSRFToken"] = place.dataset.token;
        request.headers["Accept-Language"] = document.documentElement.lang;
        if (request.headers["Idempotency-Key"] === place.dataset.example) request.headers["Idempotency-Key"] = newKey();
      }
      return request;
    },
  });
} else if (place) {
  place.textContent = place.dataset.failed;
}
