// The floor: what the runtime itself costs. Looks at nothing and always says the same.

export default {
  fetch() {
    return new Response("ok");
  },
};
