// The cost of the runtime: a constant response.

export default {
  fetch() {
    return new Response("ok");
  },
};
